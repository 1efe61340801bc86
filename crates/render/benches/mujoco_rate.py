"""MuJoCo's pictures of 64 x 64 per second of processor time: without and with 4-fold multisampling.

The scene is like that of render.rs: a table, three buttons, three glowing balls, an arm of four capsules and
two balls, and four lights of which one casts shadows. Needs `pip install mujoco` and OSMesa (Debian package
libosmesa6); another value of MUJOCO_GL draws with another library.
"""

import os
import time

os.environ.setdefault("MUJOCO_GL", "osmesa")
import mujoco  # noqa: E402  (it reads MUJOCO_GL when imported)

SCENE = """
<mujoco>
  <visual>
    <global offwidth="64" offheight="64"/>
    <quality offsamples="{samples}" shadowsize="1024"/>
    <headlight ambient=".07 .07 .07" diffuse="0 0 0" specular="0 0 0"/>
  </visual>
  <worldbody>
    <light pos="-1.2 -1.6 3.6" dir=".3 .4 -1" diffuse=".3 .3 .3" castshadow="true"/>
    <camera name="eye" pos="0 -2.15 3.9" xyaxes="1 0 0 0 .87 .5" fovy="40"/>
    <geom type="plane" size="5 5 .1" rgba=".36 .36 .36 1"/>
    {lamps}
    <geom type="capsule" fromto="0 -1.05 0 0 -1.05 .5" size=".2"/>
    <geom type="capsule" fromto="0 -1.05 .5 .5 -.5 .6" size=".115"/>
    <geom type="capsule" fromto=".5 -.5 .6 .95 0 .5" size=".11"/>
    <geom type="capsule" fromto=".95 0 .5 .95 0 .2" size=".1"/>
    <geom type="sphere" pos="0 -1.05 .5" size=".15"/>
    <geom type="sphere" pos=".5 -.5 .6" size=".13"/>
  </worldbody>
</mujoco>
"""

LAMP = """
    <light pos="{x} {y} .34" dir="0 0 -1" diffuse="{rgb}" attenuation="1 0 3" castshadow="false" cutoff="90"/>
    <geom type="sphere" pos="{x} {y} .34" size=".34" rgba="{rgb} 1"/>
    <geom type="box" pos="{x} {button} .09" size=".19 .19 .09" rgba="{rgb} 1"/>
"""


def rate(samples):
    places = [(-1.12, 0.86, ".1 .95 .2"), (0, 1.08, "1 .16 .1"), (1.12, 0.86, ".2 .36 1")]
    lamps = "".join(LAMP.format(x=x, y=y, button=y - 0.8, rgb=rgb) for x, y, rgb in places)
    model = mujoco.MjModel.from_xml_string(SCENE.format(samples=samples, lamps=lamps))
    data = mujoco.MjData(model)
    mujoco.mj_forward(model, data)
    with mujoco.Renderer(model, 64, 64) as renderer:
        renderer.update_scene(data, camera="eye")
        renderer.render()
        start, pictures = time.process_time(), 0
        while time.process_time() - start < 2:
            renderer.update_scene(data, camera="eye")
            renderer.render()
            pictures += 1
        return pictures / (time.process_time() - start)


print(rate(0), rate(4))
