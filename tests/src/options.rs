use std::path::{Path, PathBuf};

/// How a platform is started.
#[derive(Clone, Debug, Default)]
pub struct Options {
    pub(crate) arguments: Vec<String>,
    pub(crate) program: Option<PathBuf>,
}

impl Options {
    /// As `npm run dev` starts it.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// With the local REST API at `/client/v4`, in place of the deploy API.
    #[must_use]
    pub fn rest_api(self) -> Self {
        self.with("--api", "rest")
    }

    /// With a variable of the dispatch Worker.
    #[must_use]
    pub fn dispatcher_variable(self, name: &str, value: &str) -> Self {
        self.with("--dispatcher-var", &format!("{name}={value}"))
    }

    /// With a variable of the deploy API.
    #[must_use]
    pub fn deploy_api_variable(self, name: &str, value: &str) -> Self {
        self.with("--deploy-api-var", &format!("{name}={value}"))
    }

    /// Without a binding of the dispatch Worker.
    #[must_use]
    pub fn without_binding(self, name: &str) -> Self {
        self.with("--without-binding", name)
    }

    /// With another build of the dispatch Worker.
    #[must_use]
    pub fn dispatcher_build(self, folder: &Path) -> Self {
        self.with("--dispatcher-build", &folder.display().to_string())
    }

    /// With another build of the deploy API.
    #[must_use]
    pub fn deploy_api_build(self, folder: &Path) -> Self {
        self.with("--deploy-api-build", &folder.display().to_string())
    }

    /// With another upstream of the deploy API than the local REST API.
    #[must_use]
    pub fn upstream(self, address: &str) -> Self {
        self.with("--upstream", address)
    }

    /// With a clock that runs crons.
    #[must_use]
    pub fn crons(mut self) -> Self {
        self.arguments.push("--crons".to_owned());
        self
    }

    /// With an emptied state folder.
    #[must_use]
    pub fn reset(mut self) -> Self {
        self.arguments.push("--reset".to_owned());
        self
    }

    /// With another copy of the build tool.
    #[must_use]
    pub fn program(mut self, path: &Path) -> Self {
        self.program = Some(path.to_owned());
        self
    }

    /// Removes the state folder at the end: a static platform is never dropped, so it cannot do so.
    pub(crate) fn temporary(mut self) -> Self {
        self.arguments.push("--temporary".to_owned());
        self
    }

    fn with(mut self, flag: &str, value: &str) -> Self {
        self.arguments.push(format!("{flag}={value}"));
        self
    }
}
