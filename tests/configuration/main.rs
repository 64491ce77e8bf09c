//! The configuration, and the commands of the repository.
