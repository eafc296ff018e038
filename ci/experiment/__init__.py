"""An experiment on the slots: begun, changed and ended. It stands on the steps of a release."""
