use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use domino_core::{
    Dag, Embedding, GroundTruth, ImageShape, InterventionTarget, Observations, Pairs,
};
use nalgebra::{DMatrix, dmatrix};
use npyz::npz::NpzWriter;
use proptest::prelude::*;
use tempfile::TempDir;

use super::*;

/// An array as it is written by hand: name, type, order, shape, bytes.
struct Raw {
    name: &'static str,
    descr: &'static str,
    fortran: &'static str,
    shape: &'static str,
    bytes: Vec<u8>,
}

fn raw(name: &'static str, descr: &'static str, shape: &'static str, bytes: Vec<u8>) -> Raw {
    Raw { name, descr, fortran: "False", shape, bytes }
}

fn floats(values: &[f32]) -> Vec<u8> {
    values.iter().flat_map(|v| v.to_le_bytes()).collect()
}

/// `before` and `after` of shape `[2, 2]`.
fn observations() -> Vec<Raw> {
    let x = |first| floats(&[first, 2.0, 3.0, 4.0]);
    vec![raw("before", "<f4", "(2, 2)", x(1.0)), raw("after", "<f4", "(2, 2)", x(5.0))]
}

fn with(more: Vec<Raw>) -> Vec<Raw> {
    observations().into_iter().chain(more).collect()
}

struct Folder(TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self) -> PathBuf {
        self.0.path().join("pairs.npz")
    }

    fn save(&self, arrays: Vec<Raw>) -> PathBuf {
        let mut npz = NpzWriter::create(self.path()).unwrap();
        for Raw { name, descr, fortran, shape, bytes } in arrays {
            npz.zip_writer().start_file(format!("{name}.npy"), <_>::default()).unwrap();
            let text =
                format!("{{'descr': '{descr}', 'fortran_order': {fortran}, 'shape': {shape}, }}\n");
            let length = u16::try_from(text.len()).unwrap().to_le_bytes();
            let head = [b"\x93NUMPY\x01\0".as_slice(), &length, text.as_bytes(), &bytes].concat();
            npz.zip_writer().write_all(&head).unwrap();
        }
        npz.zip_writer().finish().unwrap();
        self.path()
    }
}

fn read(arrays: Vec<Raw>) -> Result<(Pairs, GroundTruth), FileError> {
    read_pairs(&Folder::new().save(arrays), Limits::default())
}

/// What is said of unfit arrays, after the name of the file.
fn refusal(arrays: Vec<Raw>) -> String {
    let text = read(arrays).unwrap_err().to_string();
    text.split_once("pairs.npz: ").unwrap_or_else(|| panic!("no path in: {text}")).1.to_owned()
}

fn any_data() -> impl Strategy<Value = (Pairs, GroundTruth)> {
    let x = |n: usize, picture: bool| {
        let floats = proptest::collection::vec(-1e30_f32..1e30, n * 6);
        let bytes = proptest::collection::vec(any::<u8>(), n * 6);
        let shape = ImageShape { height: 1, width: 2, channels: 3 };
        (floats, bytes).prop_map(move |(floats, bytes)| {
            if picture {
                Observations::Images { data: bytes, shape }
            } else {
                Observations::Vectors { data: floats, dim: 6 }
            }
        })
    };
    (1_usize..5, any::<bool>(), 1_usize..4).prop_flat_map(move |(n, picture, d)| {
        let matrix = || proptest::collection::vec(any::<i32>(), n * d);
        let matrix = move || {
            let scaled = |v: i32| f64::from(v) / 3.0;
            matrix().prop_map(move |v| DMatrix::from_iterator(n, d, v.into_iter().map(scaled)))
        };
        let masks = proptest::collection::vec(any::<bool>(), n * d);
        let names = proptest::collection::vec("[a-zé→ ]{0,4}[a-z]", d);
        let some = proptest::collection::vec(any::<bool>(), 7);
        let matrices = (matrix(), matrix(), matrix(), matrix());
        (x(n, picture), x(n, picture), matrices, masks, names, some).prop_map(
            move |(before, after, (a, b, e, f), masks, names, some)| {
                let targets = masks.chunks_exact(d).map(InterventionTarget::from_mask).collect();
                let truth = GroundTruth {
                    z_before: some[0].then_some(a),
                    z_after: some[1].then_some(b),
                    e_before: some[2].then_some(e),
                    e_after: some[3].then_some(f),
                    targets: some[4].then_some(targets),
                    dag: some[5].then(|| Dag::chain(d)),
                    names: some[6].then_some(names),
                };
                (Pairs::new(before, after).unwrap(), truth)
            },
        )
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn what_is_written_is_read((pairs, truth) in any_data()) {
        let folder = Folder::new();
        write_pairs(&folder.path(), &pairs, &truth).unwrap();
        prop_assert_eq!(read_pairs(&folder.path(), Limits::default()).unwrap(), (pairs, truth));
    }

    /// A damaged file is refused or read; it never brings the program down.
    #[test]
    fn damage_is_survived(flips in proptest::collection::vec((any::<usize>(), any::<u8>()), 1..6)) {
        let folder = Folder::new();
        let path = folder.save(with(vec![raw("target", "<i8", "(2,)", vec![0; 16])]));
        let mut bytes = fs::read(&path).unwrap();
        for (at, value) in flips {
            let len = bytes.len();
            bytes[at % len] = value;
        }
        fs::write(&path, bytes).unwrap();
        let small = Limits { max_bytes: 1 << 20 };
        prop_assert!(read_pairs(&path, small).map_or(true, |(pairs, _)| !pairs.is_empty()));
    }
}

#[test]
fn equal_data_are_equal_files() {
    let (first, second) = (Folder::new(), Folder::new());
    let (pairs, truth) = read(observations()).unwrap();
    for folder in [&first, &second] {
        write_pairs(&folder.path(), &pairs, &truth).unwrap();
    }
    assert_eq!(fs::read(first.path()).unwrap(), fs::read(second.path()).unwrap());
}

#[test]
fn numbers_of_any_width_and_order_are_converted() {
    let fortran = Raw {
        fortran: "True",
        ..raw("z_before", ">f8", "(2, 2)", [1.0_f64, 3.0, 2.0, 4.0].map(f64::to_be_bytes).concat())
    };
    let half = raw(
        "z_after",
        "<f2",
        "(2, 2)",
        [0x3c00_u16, 0xc000, 0, 0x3800].map(u16::to_le_bytes).concat(),
    );
    let ints = raw("e_before", "|i1", "(2, 2)", vec![1, 255, 0, 128]);
    let wide =
        raw("e_after", ">u4", "(2, 2)", [7_u32, 0, 1, u32::MAX].map(u32::to_be_bytes).concat());
    let target = raw("target", ">i2", "(2,)", [0_i16, 2].map(i16::to_be_bytes).concat());
    let names = raw("names", "|S2", "(2,)", b"ab\x63\0".to_vec());
    let truth = read(with(vec![fortran, half, ints, wide, target, names])).unwrap().1;
    assert_eq!(truth.z_before, Some(dmatrix![1.0, 2.0; 3.0, 4.0]));
    assert_eq!(truth.z_after, Some(dmatrix![1.0, -2.0; 0.0, 0.5]));
    assert_eq!(truth.e_before, Some(dmatrix![1.0, -1.0; 0.0, -128.0]));
    assert_eq!(truth.e_after, Some(dmatrix![7.0, 0.0; 1.0, 4_294_967_295.0]));
    assert_eq!(truth.targets.unwrap(), [InterventionTarget::None, InterventionTarget::Atomic(1)]);
    assert_eq!(truth.names.unwrap(), ["ab", "c"]);
}

#[test]
fn pictures_in_fortran_order_are_turned() {
    let side = |name| Raw { fortran: "True", ..raw(name, "|u1", "(2, 1, 2, 1)", vec![1, 3, 2, 4]) };
    let (pairs, _) = read(vec![side("before"), side("after")]).unwrap();
    let shape = ImageShape { height: 1, width: 2, channels: 1 };
    assert_eq!(pairs.before(), &Observations::Images { data: vec![1, 2, 3, 4], shape });
}

#[test]
fn pickled_arrays_are_refused_with_a_way_out() {
    let pickled = raw("before", "|O", "(2,)", b"\x80\x04cos\nsystem\n".to_vec());
    assert_eq!(
        refusal(vec![pickled]),
        "before: expected [N, dim] numbers or [N, H, W, C] uint8 pictures, got pickled Python \
         objects, which are never unpickled; save a plain array, e.g. \
         np.savez(..., before=np.stack(list_of_arrays))"
    );
    let names = refusal(with(vec![raw("names", "|O", "(2,)", vec![])]));
    assert!(names.ends_with("np.savez(..., names=np.array(list_of_names, dtype=str))"), "{names}");
}

#[test]
fn a_missing_side_is_named_with_what_is_there() {
    let [before, _] = <[Raw; 2]>::try_from(observations()).ok().unwrap();
    let other = raw("images", "|u1", "(1,)", vec![0]);
    let text = refusal(vec![before, other]);
    assert!(text.starts_with("after: no such array: expected [N, dim] numbers"), "{text}");
    assert!(text.ends_with("the file holds before, images"), "{text}");
}

#[test]
fn shapes_types_and_counts_must_fit() {
    let before = |descr, shape, len| vec![raw("before", descr, shape, vec![0; len])];
    assert!(refusal(before("<f4", "(2, 2, 2)", 32)).ends_with("pictures, got shape [2, 2, 2]"));
    let text = refusal(before("<f4", "(1, 2, 2, 3)", 48));
    assert!(text.contains("uint8 pictures with values from 0 to 255, got type <f4"), "{text}");
    assert!(refusal(before("<c8", "(1, 1)", 8)).ends_with("got type <c8"));
    assert!(refusal(before("<U1", "(1, 1)", 4)).ends_with("got type <U1"));
    let empty = refusal(before("|u1", "(0, 4294967296, 4294967296, 4294967296)", 0));
    assert!(
        empty.starts_with("before: expected at least one row of at least one value"),
        "{empty}"
    );

    let uneven = [observations().remove(0), raw("after", "<f4", "(1, 2)", floats(&[0.0; 2]))];
    let text = refusal(uneven.into());
    assert!(text.starts_with("before is [2, 2] float and after is [1, 2] float"), "{text}");
    let short = refusal(with(vec![raw("z_before", "<f4", "(1, 2)", floats(&[0.0; 2]))]));
    assert_eq!(short, "z_before: expected 2 rows, one per pair, got 1");
    let float = refusal(with(vec![raw("target", "<f4", "(2,)", floats(&[0.0; 2]))]));
    assert!(float.starts_with("target: expected [N] integers, 0 for none"), "{float}");
}

#[test]
fn values_must_be_finite_and_in_range() {
    let nan = vec![raw("before", "<f4", "(2, 2)", floats(&[0.0, f32::NAN, 0.0, 0.0]))];
    let nan = nan.into_iter().chain(observations().into_iter().skip(1)).collect();
    assert_eq!(refusal(nan), "before[0, 1]: expected a finite number, got NaN");
    let nan = refusal(with(vec![raw("z_after", "<f4", "(2, 1)", floats(&[0.0, f32::INFINITY]))]));
    assert_eq!(nan, "z_after[1, 0]: expected a finite number");

    let names = || raw("names", "<U1", "(2,)", vec![65, 0, 0, 0, 66, 0, 0, 0]);
    let far = refusal(with(vec![raw("target", "|u1", "(2,)", vec![0, 3]), names()]));
    assert_eq!(far, "target[1]: expected 0 (none) to 2, got 3");
    let negative = refusal(with(vec![raw("target", "|i1", "(2,)", vec![0, 255])]));
    assert_eq!(negative, "target: [1, 0]: expected 0 for none or k for variable k - 1, got -1");
    let mask = refusal(with(vec![raw("target", "|u1", "(2, 2)", vec![0, 1, 0, 2])]));
    assert_eq!(mask, "target: [1, 1]: expected a mask of zeros and ones, got 2");
    let cyclic = refusal(with(vec![raw("adjacency", "|b1", "(2, 2)", vec![0, 1, 1, 0])]));
    assert!(cyclic.starts_with("adjacency: the graph has a cycle through variable"), "{cyclic}");
}

#[test]
fn broken_archives_are_told_from_missing_files() {
    let folder = Folder::new();
    let path = folder.save(observations());
    let bytes = fs::read(&path).unwrap();
    for broken in [&bytes[..bytes.len() / 2], b"before,after\n1,2\n", b""] {
        fs::write(&path, broken).unwrap();
        let error = read_pairs(&path, Limits::default()).unwrap_err();
        assert!(matches!(error, FileError::NotNpz { .. }), "{error}");
        assert!(error.to_string().contains("expected an .npz file as written by np.savez"));
    }
    fs::remove_file(&path).unwrap();
    let error = read_pairs(&path, Limits::default()).unwrap_err();
    assert!(matches!(error, FileError::Read { .. }) && error.to_string().contains("pairs.npz"));
}

#[test]
fn arrays_cut_short_or_altered_are_damaged() {
    let short = refusal(vec![raw("before", "<f4", "(2, 2)", vec![0; 15])]);
    assert_eq!(short, "before: expected 16 bytes of data, got 15: the data ends there");
    let long = refusal(vec![raw("before", "<f4", "(2, 2)", vec![0; 1 << 20])]);
    assert_eq!(long, "before: expected 16 bytes of data, got 17: there is more than that");

    let folder = Folder::new();
    let (pairs, truth) = read(observations()).unwrap();
    write_pairs(&folder.path(), &pairs, &truth).unwrap();
    let mut bytes = fs::read(folder.path()).unwrap();
    let four = bytes.windows(4).position(|w| w == 4.0_f32.to_le_bytes()).unwrap();
    bytes[four] ^= 1;
    fs::write(folder.path(), bytes).unwrap();
    let error = read_pairs(&folder.path(), Limits::default()).unwrap_err().to_string();
    assert!(error.to_lowercase().contains("checksum"), "{error}");
}

#[test]
fn a_declared_size_is_checked_before_anything_is_read() {
    let huge = refusal(vec![raw("before", "<f8", "(99999999999, 99999999999)", vec![])]);
    assert!(huge.starts_with("before: its 79999999998400000000008 bytes exceed"), "{huge}");

    let folder = Folder::new();
    let path = folder.save(observations());
    let limited = |max_bytes| read_pairs(&path, Limits { max_bytes });
    assert!(limited(32).is_ok());
    let error = limited(31).unwrap_err().to_string();
    assert!(
        error.contains("after: its 16 bytes exceed what the limit leaves, 15 bytes"),
        "{error}"
    );
}

#[test]
fn a_folder_that_refuses_is_named_and_left_clean() {
    let folder = Folder::new();
    let (pairs, truth) = read(observations()).unwrap();
    let blocked = folder.0.path().join("file");
    fs::write(&blocked, "").unwrap();
    let path = blocked.join("pairs.npz");
    let error = write_pairs(&path, &pairs, &truth).unwrap_err();
    assert!(
        error.to_string().starts_with("cannot write ") && error.to_string().contains("pairs.npz")
    );
    let wrong = GroundTruth { names: Some(vec![]), dag: Some(Dag::empty(2)), ..truth };
    let error = write_pairs(&folder.path(), &pairs, &wrong).unwrap_err();
    assert!(matches!(error, FileError::Truth { .. }), "{error}");
    let left: Vec<_> = fs::read_dir(folder.0.path()).unwrap().collect();
    assert_eq!(left.len(), 1);
}

fn embedding() -> Embedding {
    let m =
        |shift: f64| DMatrix::from_fn(3, 2, |i, j| (i as f64).mul_add(2.0, j as f64) / 3.0 + shift);
    Embedding {
        z_before: m(0.0),
        z_after: m(1.0),
        e_before: m(2.0),
        e_after: m(3.0),
        target_probs: DMatrix::from_element(3, 3, 1.0 / 3.0),
        set_probs: None,
        edge_probs: dmatrix![0.0, 0.25; 0.5, 0.0],
    }
}

#[test]
fn embeddings_survive_a_file() {
    let folder = Folder::new();
    write_embedding(&folder.path(), &embedding()).unwrap();
    assert_eq!(read_embedding(&folder.path(), Limits::default()).unwrap(), embedding());
    let several =
        Embedding { set_probs: Some(dmatrix![0.5, 1.0; 0.0, 0.25; 1.0, 1.0]), ..embedding() };
    write_embedding(&folder.path(), &several).unwrap();
    assert_eq!(read_embedding(&folder.path(), Limits::default()).unwrap(), several);
}

#[test]
fn embeddings_must_be_whole_and_fit() {
    let refusal = |arrays| {
        let path = Folder::new();
        read_embedding(&path.save(arrays), Limits::default()).unwrap_err().to_string()
    };
    let z = || raw("z", "<f4", "(1, 2)", floats(&[0.0; 2]));
    assert!(refusal(vec![z()]).contains("e: no such array: expected [N, d] finite numbers"));
    let wide = raw("e", "<f4", "(1, 3)", floats(&[0.0; 3]));
    assert!(
        refusal(vec![z(), wide]).contains("e: expected shape [1, 2] to fit z, got shape [1, 3]")
    );
    let nan = raw("z", "<f4", "(1, 2)", floats(&[0.0, f32::NAN]));
    assert!(refusal(vec![nan]).contains("z: [0, 1]: expected a finite number, got NaN"));
}

/// Files written by NumPy 2 itself; `tests/golden/make_pairs.py` says how.
#[test]
fn files_from_numpy_are_read() {
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    let read = |name: &str| read_pairs(&golden.join(name), Limits::default());
    let (pairs, truth) = read("pairs.npz").unwrap();
    assert_eq!(read("pairs-compressed.npz").unwrap(), (pairs.clone(), truth.clone()));
    let data = vec![0.5, 1.5, 2.5, 3.5, 4.5, 5.5];
    assert_eq!(pairs.before(), &Observations::Vectors { data, dim: 2 });
    assert_eq!(truth.z_before, Some(dmatrix![0.0, 1.0; 2.0, 3.0; 4.0, 5.0]));
    let set = [vec![], vec![0], vec![0, 1]];
    assert!(truth.targets.unwrap().iter().zip(set).all(|(t, set)| t.variables() == set));
    assert_eq!(truth.dag, Some(Dag::chain(2)));
    assert_eq!(truth.names.unwrap(), ["größe", "z"]);
    let error = read("pickled.npz").unwrap_err().to_string();
    assert!(error.contains("before: ") && error.contains("never unpickled"), "{error}");
}
