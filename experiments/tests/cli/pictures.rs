use std::fs::File;

use domino::data::npz::Limits;
use domino_render::Picture;

use crate::place::Place;

/// Small pictures of the circuit, and too few steps to learn much.
const PICTURES: &str = "
name = 'pictures'

[data]
train = 200
validation = 20
test = 60
dci_train = 60

[data.circuit]
size = 16
samples = 1

[model]
replicas = 2

[[variables.coarse_to_fine.scales]]
smoothing = { cells = 4, blur = 1.0 }
extra = 1
phase = { steps = 20, batch = 16 }

[[variables.coarse_to_fine.scales]]
smoothing = { cells = 8, blur = 0.7 }
extra = 4
phase = { steps = 20, batch = 16 }

[variables.coarse_to_fine.handover]
steps = 20
batch = 16

[mechanisms.regression]
networks = { components = 3 }
phase = { steps = 10, batch = 16 }

[picture]
network = { directions = 8, hidden = 16, layers = 1 }
phase = { steps = 20, batch = 16 }

[eval.dci]
trees = 5
";

/// The same, with convolutions on the second scale, trained together with the variables in the end.
const LEARNED: &str = "
base = 'pictures.toml'
name = 'learned'

[[variables.coarse_to_fine.scales]]
smoothing = { cells = 4, blur = 1.0 }
extra = 1
phase = { steps = 20, batch = 16 }

[[variables.coarse_to_fine.scales]]
extra = 4
phase = { steps = 20, batch = 16 }

[variables.coarse_to_fine.scales.convolution]
network = { side = 16, latents = 8, channels = 4 }
pictures = 200
phase = { steps = 10, batch = 8 }
joint = { phase = { steps = 5, batch = 8 } }
";

fn place() -> Place {
    let place = Place::new();
    place.write("pictures.toml", PICTURES);
    place.succeeds("run pictures.toml --out run");
    for (name, shade) in [("dark.png", 20), ("light.png", 200)] {
        let data = (0..16 * 16 * 3).map(|at| (shade + at % 50) as u8).collect();
        draw(&place, name, &Picture { width: 16, height: 16, data });
    }
    place
}

fn draw(place: &Place, name: &str, picture: &Picture) {
    picture.write_png(File::create(place.path(name)).unwrap()).unwrap();
}

/// Width and height in the header of a PNG file.
fn size(png: &[u8]) -> [u32; 2] {
    [16, 20].map(|at| u32::from_be_bytes(png[at..at + 4].try_into().unwrap()))
}

/// White between the pictures of a strip.
const MARGIN: usize = 4;

/// The 16 x 16 pixels of a PNG file from a corner `[x, y]` on.
fn part(place: &Place, name: &str, [x, y]: [usize; 2]) -> Vec<u8> {
    let whole = domino::data::formats::Picture::read(&place.path(name), Limits::default()).unwrap();
    let line = |row: usize| (row * whole.shape.width + x) * 3;
    (y..y + 16).flat_map(|row| whole.data[line(row)..line(row) + 16 * 3].to_vec()).collect()
}

#[test]
fn pictures_are_learned_drawn_and_asked_about() {
    let place = place();
    let report = place.json("run/report.json");
    let edits = report["pictures"]["counterfactuals"].as_array().unwrap();
    let names: Vec<_> = edits.iter().map(|edit| edit["variable"].as_str().unwrap()).collect();
    assert_eq!(names, ["arm", "green", "red", "blue"]);
    assert!(edits.iter().all(|edit| edit["psnr"].as_f64().unwrap() > 5.0), "{edits:?}");
    let page = place.text("run/report.html");
    assert_eq!(page.matches("data:image/png;base64,").count(), 3);

    // Drawn again from what lies in the folder, it is the same page.
    place.succeeds("report run");
    assert_eq!(place.text("run/report.html"), page);

    place.succeeds("intervene run --image dark.png --set z2=0.5 --out one.png");
    assert_eq!(size(&place.read("one.png")), [16, 16]);
    let shown = place.succeeds("intervene run --image dark.png --set z2=-1,0,1 --out strip.png");
    let row = shown.stdout.lines().find(|line| line.starts_with("z2")).unwrap();
    assert!(row.contains("-1.0000") && row.ends_with("1.0000  set"), "{row}");
    let [width, height] = size(&place.read("strip.png"));
    assert!(width > 3 * 16 && height < 2 * 16, "three in a row");

    // Each picture of the strip is that of its value alone.
    for (value, place_in_strip) in [(-1, 0), (1, 2)] {
        place.succeeds(&format!("intervene run --image dark.png --set z2={value} --out one.png"));
        let corner = [MARGIN + place_in_strip * (16 + MARGIN), MARGIN];
        assert_eq!(part(&place, "strip.png", corner), part(&place, "one.png", [0, 0]));
    }

    place.succeeds("intervene run --image dark.png --set z2=-1..1/5 --out there.gif");
    let bytes = place.read("there.gif");
    assert_eq!((&bytes[..6], &bytes[6..10]), (&b"GIF89a"[..], &[16, 0, 16, 0][..]));
    // There and back: five pictures, and three of them again.
    let frames = bytes.windows(3).filter(|w| w == b"\x21\xf9\x04").count();
    assert_eq!(frames, 8);

    let shown = place.succeeds("changed run --before dark.png --after light.png --out both.png");
    let lines: Vec<_> = shown.stdout.lines().collect();
    let probability = |line: &str| line.split_whitespace().nth(1)?.parse::<f64>().ok();
    let chances: Vec<f64> = lines[1..].iter().filter_map(|line| probability(line)).collect();
    assert_eq!(chances.len(), 5, "four variables and none: {lines:?}");
    assert!(
        chances.is_sorted_by(|a, b| a >= b) && (chances.iter().sum::<f64>() - 1.0).abs() < 1e-3
    );
    assert!(place.has("both.png"));
}

#[test]
fn learned_features_take_the_same_way() {
    let place = place();
    place.write("learned.toml", LEARNED);
    place.succeeds("run learned.toml --out learned");
    let report = place.json("learned/report.json");
    assert_eq!(report["pictures"]["counterfactuals"].as_array().unwrap().len(), 4);
    assert!(place.has("learned/model/convolution.safetensors"));
    place.succeeds("intervene learned --image dark.png --set z2=0.5 --out learned.png");
    assert_eq!(size(&place.read("learned.png")), [16, 16]);
    place.succeeds("changed learned --before dark.png --after light.png --out learned-both.png");

    // The same bytes from the same seed.
    place.succeeds("run learned.toml --out again");
    let weights = |run| place.read(&format!("{run}/model/convolution.safetensors"));
    assert_eq!(weights("learned"), weights("again"));
}

#[test]
fn pictures_that_do_not_fit_are_refused() {
    let place = place();
    draw(&place, "wide.png", &Picture { width: 20, height: 16, data: vec![0; 20 * 16 * 3] });
    place.write("torn.png", &place.read("dark.png")[..60]);
    place.write("text.png", "not a picture");
    for (image, complaint) in [
        ("wide.png", "expected 16 x 16 pixels, as the model was fitted to, got 20 x 16"),
        ("torn.png", "torn.png"),
        ("text.png", "text.png"),
        ("none.png", "none.png"),
    ] {
        let refused =
            place.domino(&format!("intervene run --image {image} --set z1=0 --out no.png"));
        assert_ne!(refused.code, Some(0));
        assert!(refused.stderr.contains(complaint), "{}", refused.stderr);
    }
    assert!(!place.has("no.png"));
    place.succeeds("run linear.toml --out vectors");
    let refused = place.domino("intervene vectors --image dark.png --set z1=0 --out no.png");
    assert!(refused.stderr.contains("name a file of pairs"), "{}", refused.stderr);
}
