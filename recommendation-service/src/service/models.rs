//! The collaborative model in use.

use std::sync::{Arc, Mutex, PoisonError, RwLock};

use super::{model::ItemModel, pipeline::LinkedModel};
use crate::models::catalogue::Catalogue;

/// The newest model, if there is one. Clones share it.
#[derive(Debug, Clone, Default)]
pub struct ModelStore(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    model: RwLock<Option<Arc<ItemModel>>>,
    linked: Mutex<Option<Linked>>,
}

/// A linked model with what it was made from.
#[derive(Debug)]
struct Linked {
    model: Arc<ItemModel>,
    catalogue: Arc<Catalogue>,
    linked: Arc<LinkedModel>,
}

impl ModelStore {
    /// The model. It stays as it is while someone works with it, whatever comes after it.
    pub fn current(&self) -> Option<Arc<ItemModel>> {
        self.0.model.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Uses another model from now on.
    pub fn replace(&self, model: Arc<ItemModel>) {
        *self.0.model.write().unwrap_or_else(PoisonError::into_inner) = Some(model);
    }

    /// The model for this copy of the catalogue; made anew when one of the two has changed.
    pub fn linked(&self, catalogue: &Arc<Catalogue>) -> Option<Arc<LinkedModel>> {
        let model = self.current()?;
        // Whoever comes while it is made waits for it instead of making it too.
        let mut linked = self.0.linked.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = linked.as_ref()
            && Arc::ptr_eq(&known.model, &model)
            && Arc::ptr_eq(&known.catalogue, catalogue)
        {
            return Some(known.linked.clone());
        }
        let made = Arc::new(LinkedModel::new(model.clone(), catalogue));
        *linked = Some(Linked { model, catalogue: catalogue.clone(), linked: made.clone() });
        Some(made)
    }
}
