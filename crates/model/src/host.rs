use burn::tensor::{Device, Tensor, TensorData};
use nalgebra::DMatrix;

/// A host matrix `[rows, cols]` on the device, as f32.
pub fn upload(matrix: &DMatrix<f64>, device: &Device) -> Tensor<2> {
    let data: Vec<f32> = matrix.transpose().iter().map(|&v| v as f32).collect();
    upload_rows(data, matrix.ncols(), device)
}

/// Row-major values of `cols` columns on the device.
pub fn upload_rows(data: Vec<f32>, cols: usize, device: &Device) -> Tensor<2> {
    let rows = data.len().checked_div(cols).unwrap_or(0);
    Tensor::from_data(TensorData::new(data, [rows, cols]), device)
}

/// A device matrix `[rows, cols]` on the host, as f64.
pub fn download(tensor: Tensor<2>) -> DMatrix<f64> {
    let [rows, cols] = tensor.dims();
    let data = values(tensor);
    DMatrix::from_row_iterator(rows, cols, data.into_iter().map(f64::from))
}

/// The values of a tensor in row-major order.
pub(crate) fn values<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    tensor.try_into_vec_as::<f32>().expect("float tensors convert to f32")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cpu;

    #[test]
    fn matrices_cross_both_ways_unchanged() {
        let m = DMatrix::from_row_slice(2, 3, &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
        assert_eq!(download(upload(&m, &cpu())), m);
        assert_eq!(upload(&m, &cpu()).dims(), [2, 3]);
    }
}
