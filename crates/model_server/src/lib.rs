//! An HTTP server with the forms and the failures of model providers, for tests.
