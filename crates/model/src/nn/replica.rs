use burn::module::{Module, ModuleMapper, Param};
use burn::tensor::Tensor;

/// One replica of a module whose every parameter leads with a multiple of `replicas`; it can be trained on by itself.
pub fn select_replica<M: Module>(stacked: M, replica: usize, replicas: usize) -> M {
    stacked.map(&mut Select { replica, replicas })
}

struct Select {
    replica: usize,
    replicas: usize,
}

impl ModuleMapper for Select {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        param.map(|tensor| {
            let share = tensor.dims()[0] / self.replicas;
            let tracked = tensor.is_require_grad();
            let share = tensor.narrow(0, self.replica * share, share);
            share.detach().set_require_grad(tracked)
        })
    }
}

#[cfg(test)]
mod tests {
    use domino_core::{Seed, Stream};

    use super::*;
    use crate::{StackedLinear, cpu, download, standard_normal};

    #[test]
    fn a_replica_computes_what_it_did_in_the_stack() {
        let mut rng = Seed(1).rng(Stream::Init);
        let layers = StackedLinear::new([6, 4, 2], &mut rng, &cpu());
        let x = standard_normal([12, 4], &mut rng, &cpu());
        let all = download(layers.forward(x.clone()));
        let third = select_replica(layers, 2, 3).forward(x.narrow(0, 8, 4));
        assert!((download(third) - all.rows(8, 4)).amax() < 1e-6);
    }

    #[test]
    fn a_replica_learns_by_itself() {
        let device = cpu().autodiff();
        let mut rng = Seed(1).rng(Stream::Init);
        let layers = select_replica(StackedLinear::new([2, 3, 1], &mut rng, &device), 1, 2);
        let x = standard_normal([4, 3], &mut rng, &device);
        for _ in 0..2 {
            let grads = layers.forward(x.clone()).sum().backward();
            assert!(layers.weight.val().grad(&grads).is_some());
        }
    }
}
