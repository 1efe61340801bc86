use std::fmt;
use std::str::FromStr;

use thiserror::Error;

/// The public data sets that can be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Kind {
    /// Brehmer et al. 2022: a robot arm over three buttons and three lamps.
    CausalCircuit,
    /// Von Kügelgen et al. 2021: an object under a spotlight.
    Causal3dIdent,
    /// Lippe et al. 2022: the same as a video with interventions.
    TemporalCausal3dIdent,
    /// Lippe et al. 2022: Pong with interventions.
    InterventionalPong,
    /// Lippe et al. 2022: a ball in one of two boxes.
    BallInBoxes,
    /// Lippe et al. 2023: a coloured Voronoi diagram.
    Voronoi,
    /// Lippe et al. 2023: pinball with interventions.
    Pinball,
    /// Matthey et al. 2017: white sprites.
    Dsprites,
    /// Burgess & Kim 2018: an object in a room.
    Shapes3d,
    /// Gondal et al. 2019: a robot arm that holds an object.
    Mpi3d,
    /// Reed et al. 2015: cars from all sides.
    Cars3d,
    /// `LeCun`, Huang & Bottou 2004: toys from all sides.
    SmallNorb,
    /// `LeCun` et al. 1998: digits.
    Mnist,
    /// Johnson et al. 2017: scenes of simple solids.
    Clevr,
    /// Gamella, Bing & Runge 2025: a real optical system.
    LightTunnel,
    /// Lippe, Cohen & Gavves 2022: samples under single interventions.
    Enco,
    /// Scutari 2010: discrete Bayesian networks.
    Bnlearn,
    /// Brouillard et al. 2020: samples under several regimes.
    Dcdi,
}

/// A name that no kind has.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("expected a kind of data set, one of {}, got {got:?}", names())]
pub struct UnknownKind {
    /// The name.
    pub got: String,
}

impl Kind {
    /// All kinds, in the order of a help text.
    pub const ALL: [Self; 18] = [
        Self::CausalCircuit,
        Self::Causal3dIdent,
        Self::TemporalCausal3dIdent,
        Self::InterventionalPong,
        Self::BallInBoxes,
        Self::Voronoi,
        Self::Pinball,
        Self::Dsprites,
        Self::Shapes3d,
        Self::Mpi3d,
        Self::Cars3d,
        Self::SmallNorb,
        Self::Mnist,
        Self::Clevr,
        Self::LightTunnel,
        Self::Enco,
        Self::Bnlearn,
        Self::Dcdi,
    ];

    /// The name on a command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::CausalCircuit => "causal-circuit",
            Self::Causal3dIdent => "causal3dident",
            Self::TemporalCausal3dIdent => "temporal-causal3dident",
            Self::InterventionalPong => "interventional-pong",
            Self::BallInBoxes => "ball-in-boxes",
            Self::Voronoi => "voronoi",
            Self::Pinball => "pinball",
            Self::Dsprites => "dsprites",
            Self::Shapes3d => "shapes3d",
            Self::Mpi3d => "mpi3d",
            Self::Cars3d => "cars3d",
            Self::SmallNorb => "small-norb",
            Self::Mnist => "mnist",
            Self::Clevr => "clevr",
            Self::LightTunnel => "light-tunnel",
            Self::Enco => "enco",
            Self::Bnlearn => "bnlearn",
            Self::Dcdi => "dcdi",
        }
    }

    /// The files it is recognised by.
    pub fn files(self) -> &'static str {
        match self {
            Self::CausalCircuit => {
                "train-0.npz … train-9.npz (or train.npz), val.npz, test.npz \
                 with imgs, original_latents, intervention_masks"
            }
            Self::Causal3dIdent => "{train,test}/raw_latents_{c}.npy and images_{c}/{index}.png",
            Self::TemporalCausal3dIdent => {
                "{train,val,test}.npz with imgs, interventions, raw_latents, shape_latents"
            }
            Self::InterventionalPong => {
                "{train,val,test}.npz with images, latents, targets, keys such as paddle_left_y"
            }
            Self::BallInBoxes => {
                "{train,val,test}.npz with images, latents, targets, keys such as ball_b"
            }
            Self::Voronoi => {
                "{train,val,test}.npz with images, latents, targets, keys such as c0, and settings.json"
            }
            Self::Pinball => {
                "{train,val,test}.npz with images, latents, targets, keys such as cyl_0_active"
            }
            Self::Dsprites => "dsprites*.npz with imgs and latents_classes",
            Self::Shapes3d => "3dshapes.h5 with images and labels",
            Self::Mpi3d => "mpi3d_{toy,realistic,real}.npz with images",
            Self::Cars3d => "one .mat file with im per car",
            Self::SmallNorb => "smallnorb-*-{dat,cat,info}.mat",
            Self::Mnist => "train-images-idx3-ubyte and train-labels-idx1-ubyte, .gz or not",
            Self::Clevr => "scenes/CLEVR_{split}_scenes.json and images/{split}/",
            Self::LightTunnel => "one experiment's .csv with image_file, and images_64/",
            Self::Enco => ".npz with data_obs, data_int, adj_matrix",
            Self::Bnlearn => "a .bif file",
            Self::Dcdi => "DAG{id}.npy, data_interv{id}.npy, regime{id}.csv, intervention{id}.csv",
        }
    }

    /// How its pairs come about, or why there are none.
    pub fn pairing(self) -> &'static str {
        match self {
            Self::CausalCircuit => "its own counterfactual pairs",
            Self::TemporalCausal3dIdent
            | Self::InterventionalPong
            | Self::BallInBoxes
            | Self::Voronoi
            | Self::Pinball => "consecutive frames",
            Self::Dsprites | Self::Shapes3d | Self::Mpi3d | Self::Cars3d | Self::SmallNorb => {
                "pictures that differ in the chosen factors"
            }
            Self::Causal3dIdent | Self::LightTunnel => {
                "each picture with the nearest one in the kept latents"
            }
            Self::Mnist | Self::Clevr | Self::Enco | Self::Bnlearn | Self::Dcdi => "none",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Kind {
    type Err = UnknownKind;

    fn from_str(name: &str) -> Result<Self, UnknownKind> {
        let found = Self::ALL.into_iter().find(|kind| kind.name() == name);
        found.ok_or_else(|| UnknownKind { got: name.to_owned() })
    }
}

fn names() -> String {
    Kind::ALL.map(Kind::name).join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_is_found_by_its_name() {
        for kind in Kind::ALL {
            assert_eq!(kind.name().parse(), Ok(kind));
            assert!(!kind.files().is_empty() && !kind.pairing().is_empty());
        }
        let error = "dsprite".parse::<Kind>().unwrap_err().to_string();
        assert!(error.contains("one of causal-circuit, ") && error.ends_with("\"dsprite\""));
    }
}
