//! `rolesanywhere:PutNotificationSettings` and `ResetNotificationSettings`: refused, since nobody here would tell anybody of
//! certificates that end. They are found by name and counted among no list of what daypass does.

use daypass_directory::{Authorized, Checks, Operation, Scope};

use crate::action::Action;
use crate::callers::Callers;
use crate::error::Error;
use crate::house::House;
use crate::params::Params;

/// What stands in the way, in a sentence.
pub(super) fn refused() -> Error {
    Error::validation(
        "Notification settings are not supported by this server: nobody would send notifications.",
    )
}

macro_rules! refused {
    ($action:ident, $name:literal) => {
        pub(super) struct $action;

        impl Action for $action {
            const NAME: &'static str = $name;
            const CALLERS: Callers = Callers::Anyone;
            const READ_ONLY: bool = false;
            type Input = ();
            type Output = ();

            fn parse(_: &Params) -> Result<(), Error> {
                Err(refused())
            }

            fn checks(_: &Scope, (): &()) -> Checks {
                Checks::nobody_may(Self::NAME, "*")
            }

            async fn act(_: &Operation, _: &House, _: Authorized<()>) -> Result<(), Error> {
                Err(refused())
            }
        }
    };
}
refused!(PutNotificationSettings, "rolesanywhere:PutNotificationSettings");
refused!(ResetNotificationSettings, "rolesanywhere:ResetNotificationSettings");
