//! Aliases in the view: one for each account and none for two.

use std::sync::Arc;

use daypass_model::AccountId;

use crate::entity::AccountAlias;
use crate::view::View;

impl View {
    /// The account that is called so. May lead into any account because whoever signs in says by it which one is meant, and
    /// has none before; nothing comes of it that a password of that account does not open.
    #[must_use]
    pub fn account_of_alias(&self, alias: &str) -> Option<AccountId> {
        self.aliases.get(alias).copied().filter(|account| self.is_account(*account))
    }

    /// Whether an account, open or closed, is called so. May lead into any account because an alias is one account's only: AWS
    /// too tells whoever wants one that it is somebody's. Those of closed accounts stay taken, or others could stand where
    /// people look for them.
    #[must_use]
    pub fn is_alias_taken(&self, alias: &str) -> bool {
        self.aliases.contains_key(alias)
    }

    pub(crate) fn put_alias(&mut self, id: AccountId, alias: AccountAlias) {
        self.delete_alias(id);
        self.aliases.insert_mut(alias.record.alias.clone(), id);
        self.edit(id, |account| account.alias = Some(Arc::new(alias)));
    }

    pub(crate) fn delete_alias(&mut self, id: AccountId) {
        let Some(alias) = self.accounts.get(&id).and_then(|account| account.alias.clone()) else { return };
        // Somebody else may be called so since.
        if self.aliases.get(&alias.record.alias) == Some(&id) {
            self.aliases.remove_mut(&alias.record.alias);
        }
        self.edit(id, |account| account.alias = None);
    }
}
