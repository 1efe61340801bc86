//! DCDI folders and `.bif` files.

use std::fs;
use std::path::Path;

use domino_core::{Dag, InterventionTarget};
use domino_data::formats::{Kind, Source, dcdi, open};
use domino_data::npz::Limits;

use crate::write::{doubles, golden, read};

fn write(folder: &Path) {
    let save = |name: &str, bytes: Vec<u8>| fs::write(folder.join(name), bytes).unwrap();
    save("DAG3.npy", doubles("", &[2, 2], &[0.0, 1.0, 0.0, 0.0]).npy());
    save("data3.npy", doubles("", &[1, 2], &[9.0, 9.5]).npy());
    save("data_interv3.npy", doubles("", &[3, 2], &[0.0, 1.0, 2.0, 3.0, 4.0, 5.0]).npy());
    save("regime3.csv", b"0\r\n1\r\n2\r\n".to_vec());
    save("intervention3.csv", b"\r\n1\r\n1,0\r\n".to_vec());
}

#[test]
fn a_folder_of_dcdi_is_read() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path());
    let found = dcdi(folder.path(), Some("3"), Limits::default()).unwrap();
    assert_eq!(found.data.row(2), nalgebra::matrix![4.0, 5.0]);
    assert_eq!((found.regimes, found.dag), (vec![0, 1, 2], Dag::chain(2)));
    let both = InterventionTarget::Several(vec![0, 1]);
    let expected = [InterventionTarget::None, InterventionTarget::Atomic(1), both];
    assert_eq!(found.targets, expected);
    assert_eq!(found.observational, Some(nalgebra::dmatrix![9.0, 9.5]));
    let error = read(Kind::Dcdi, folder.path()).unwrap_err().to_string();
    assert!(error.starts_with("dcdi has no pairs"), "{error}");
}

#[test]
fn faults_of_a_folder_are_named_by_file_and_row() {
    let folder = tempfile::tempdir().unwrap();
    let refusal = |name: &str, bytes: &[u8]| {
        write(folder.path());
        fs::write(folder.path().join(name), bytes).unwrap();
        dcdi(folder.path(), Some("3"), Limits::default()).unwrap_err().to_string()
    };
    assert!(
        refusal("regime3.csv", b"0\n1\n")
            .ends_with("row 3: expected 3 rows, one per sample, got 2 rows")
    );
    assert!(
        refusal("intervention3.csv", b"\n2\n\n")
            .ends_with("row 2: expected variables below 2, got 2")
    );
    let text = refusal("intervention3.csv", b"\n-1\n\n");
    assert!(text.ends_with("row 2: expected whole numbers from 0 up, got -1"), "{text}");
    let text = refusal("data_interv3.npy", &doubles("", &[1, 2], &[0.0, f64::NAN]).npy());
    assert!(text.ends_with("row 1: expected finite numbers, got NaN"), "{text}");
    let text = refusal("data_interv3.npy", &doubles("", &[3, 3], &[0.0; 9]).npy());
    assert!(text.contains("expected 2 columns, one per variable of the graph, got 3"), "{text}");
    let cycle = doubles("", &[2, 2], &[0.0, 1.0, 1.0, 0.0]).npy();
    assert!(refusal("DAG3.npy", &cycle).contains("the graph has a cycle"));
    assert!(refusal("DAG3.npy", &cycle[..20]).contains("expected a .npy header"));
    fs::remove_file(folder.path().join("regime3.csv")).unwrap();
    write(folder.path());
    fs::rename(folder.path().join("regime3.csv"), folder.path().join("regime_unknown3.csv"))
        .unwrap();
    assert!(dcdi(folder.path(), Some("3"), Limits::default()).is_ok(), "a word between is allowed");
}

#[test]
fn networks_are_recognised_by_their_ending() {
    let Ok(Source::Network(network)) = open(&golden("two-causes.bif"), Limits::default()) else {
        panic!("another kind")
    };
    assert_eq!(network.variables().len(), 3);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("broken.bif");
    fs::write(&path, "network n { }\nvariable a {\n  type continuous;\n}").unwrap();
    let error = open(&path, Limits::default()).unwrap_err().to_string();
    assert!(error.ends_with("line 3: expected \"discrete\", got \"continuous\""), "{error}");
}
