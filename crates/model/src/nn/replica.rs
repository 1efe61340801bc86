use burn::module::{Module, ModuleMapper, Param};
use burn::tensor::Tensor;

/// One replica of a module whose every parameter leads with a multiple of `replicas`; it can be trained on by itself.
pub fn select_replica<M: Module>(stacked: M, replica: usize, replicas: usize) -> M {
    stacked.map(&mut Select { replica, replicas })
}

/// A stack of `replicas` copies of a module that can be trained apart; every parameter leads with the stack.
pub fn repeat_replica<M: Module>(single: M, replicas: usize) -> M {
    single.map(&mut Repeat { replicas })
}

struct Repeat {
    replicas: usize,
}

impl ModuleMapper for Repeat {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        param.map(|tensor| {
            let tracked = tensor.is_require_grad();
            tensor.repeat_dim(0, self.replicas).detach().set_require_grad(tracked)
        })
    }
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
    fn a_replica_learns_by_itself_and_so_do_copies() {
        let device = cpu().autodiff();
        let mut rng = Seed(1).rng(Stream::Init);
        let single = select_replica(StackedLinear::new([2, 3, 1], &mut rng, &device), 1, 2);
        let x = standard_normal([4, 3], &mut rng, &device);
        for layers in [single.clone(), repeat_replica(single, 2)] {
            for _ in 0..2 {
                let grads = layers.forward(x.clone()).sum().backward();
                assert!(layers.weight.val().grad(&grads).is_some());
            }
        }
    }

    #[test]
    fn copies_compute_the_same() {
        let mut rng = Seed(2).rng(Stream::Init);
        let single = StackedLinear::new([1, 3, 2], &mut rng, &cpu());
        let x = standard_normal([4, 3], &mut rng, &cpu());
        let y = download(single.forward(x.clone()));
        let twice = download(repeat_replica(single, 2).forward(Tensor::cat(vec![x.clone(), x], 0)));
        assert!((twice.rows(0, 4) - &y).amax() < 1e-6 && (twice.rows(4, 4) - &y).amax() < 1e-6);
    }
}
