//! Who asks: GitHub Actions runs, API tokens and the bootstrap administrator.
