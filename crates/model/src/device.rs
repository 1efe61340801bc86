use burn::tensor::Device;
use thiserror::Error;

/// Why a named device cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum DeviceError {
    /// The name is of no known form.
    #[error("device: expected `cpu` or `cuda:N`, got `{0}`")]
    Unknown(String),
    /// The build has no CUDA support.
    #[error("device `{0}`: this build has no CUDA support; build with `--features cuda`")]
    NoCuda(String),
    /// The machine has too few GPUs.
    #[error("device `{name}`: expected a CUDA device with that index, found {found} CUDA devices")]
    NoGpu {
        /// The name asked for.
        name: String,
        /// Devices found.
        found: usize,
    },
}

/// The CPU.
pub fn cpu() -> Device {
    Device::flex()
}

/// The device of a name: `cpu`, or `cuda:N` in a build with the feature `cuda`.
///
/// # Errors
/// [`DeviceError`] if the name is unknown, or names a GPU that the build or the machine lacks.
pub fn device(name: &str) -> Result<Device, DeviceError> {
    match name.split_once(':') {
        None if name == "cpu" => Ok(cpu()),
        Some(("cuda", index)) => match index.parse() {
            Ok(index) => cuda(name, index),
            Err(_) => Err(DeviceError::Unknown(name.to_owned())),
        },
        _ => Err(DeviceError::Unknown(name.to_owned())),
    }
}

#[cfg(feature = "cuda")]
fn cuda(name: &str, index: usize) -> Result<Device, DeviceError> {
    // The first operation on a missing device panics; enumeration finds nothing without a driver.
    let found = Device::enumerate(burn::tensor::DeviceType::Cuda).into_vec().len();
    if index < found {
        Ok(Device::cuda(index))
    } else {
        Err(DeviceError::NoGpu { name: name.to_owned(), found })
    }
}

#[cfg(not(feature = "cuda"))]
fn cuda(name: &str, _index: usize) -> Result<Device, DeviceError> {
    Err(DeviceError::NoCuda(name.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_names_say_what_is_known() {
        for name in ["gpu", "cuda:x", "cpu:0", ""] {
            let error = device(name).unwrap_err();
            assert_eq!(error, DeviceError::Unknown(name.to_owned()));
        }
        assert!(device("cpu").is_ok());
    }

    #[test]
    #[cfg(not(feature = "cuda"))]
    fn a_build_without_cuda_says_so() {
        assert!(device("cuda:0").unwrap_err().to_string().contains("--features cuda"));
    }

    #[test]
    #[cfg(feature = "cuda")]
    fn a_missing_gpu_is_an_error() {
        assert!(matches!(device("cuda:99"), Err(DeviceError::NoGpu { .. })));
    }
}
