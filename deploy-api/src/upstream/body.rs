use bytes::Bytes;

/// The body of a request to the Cloudflare API, in pieces. It can be sent without being held in memory: the pieces of the
/// bundle store are streamed, and the length is known before the first byte.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UpstreamBody(Vec<Piece>);

/// One piece of an [`UpstreamBody`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece {
    /// Bytes in memory. They may contain secrets.
    Bytes(Bytes),
    /// Bytes of an object of the bundle store, as they are.
    Stored {
        /// The object's key.
        key: String,
        /// The first byte.
        offset: u64,
        /// The number of bytes.
        length: u64,
    },
    /// The whole of an object of the bundle store, encoded in base64 with padding: a static asset that an earlier version of
    /// the deploy API stored.
    Base64 {
        /// The object's key.
        key: String,
        /// The number of bytes of the object, before the encoding.
        length: u64,
    },
    /// What a part of an object of the bundle store encodes in base64 with padding: a static asset that is sent as it is.
    FromBase64 {
        /// The object's key.
        key: String,
        /// The first byte of the base64 text.
        offset: u64,
        /// The number of bytes of the base64 text.
        text: u64,
        /// The number of bytes that the text encodes.
        length: u64,
    },
}

impl Piece {
    /// The number of bytes that the piece adds to the body.
    #[must_use]
    pub fn length(&self) -> u64 {
        match self {
            Self::Bytes(bytes) => u64::try_from(bytes.len()).unwrap_or(u64::MAX),
            Self::Stored { length, .. } | Self::FromBase64 { length, .. } => *length,
            Self::Base64 { length, .. } => length.div_ceil(3).saturating_mul(4),
        }
    }
}

impl UpstreamBody {
    /// A body of these pieces.
    #[must_use]
    pub const fn new(pieces: Vec<Piece>) -> Self {
        Self(pieces)
    }

    /// The pieces, in order.
    #[must_use]
    pub fn pieces(&self) -> &[Piece] {
        &self.0
    }

    /// The number of bytes; 0 means that the request has no body.
    #[must_use]
    pub fn length(&self) -> u64 {
        self.0.iter().map(Piece::length).fold(0, u64::saturating_add)
    }
}

impl From<Vec<u8>> for UpstreamBody {
    fn from(bytes: Vec<u8>) -> Self {
        if bytes.is_empty() {
            Self::default()
        } else {
            Self(vec![Piece::Bytes(Bytes::from(bytes))])
        }
    }
}
