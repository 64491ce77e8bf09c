use std::collections::BTreeMap;

use deploy_api::bundles::{BrokenBundle, Staged};
use deploy_api::upload::{SealedUpload, StreamOptions, script_pieces};
use deploy_api::upstream::Piece;

use super::bodies::{METADATA, MODULE, chunks, contents, form, part_bytes, read, read_form};
use super::memory_store::MemoryStore;

/// The pieces as one body.
fn join(store: &MemoryStore, pieces: &[Piece]) -> Vec<u8> {
    let mut body = Vec::new();
    for piece in pieces {
        match piece {
            Piece::Bytes(bytes) => body.extend_from_slice(bytes),
            Piece::Stored { key, offset, length } => {
                let start = usize::try_from(*offset).unwrap();
                let end = start + usize::try_from(*length).unwrap();
                body.extend_from_slice(&store.object(key).unwrap()[start..end]);
            }
            Piece::Base64 { .. } | Piece::FromBase64 { .. } => panic!("no asset was sent"),
        }
    }
    body
}

fn sealed(store: &MemoryStore, length: usize) -> SealedUpload {
    let content = vec![b'x'; length];
    let parts = [
        METADATA,
        ("index.js", MODULE, content.as_slice()),
        ("empty.js", MODULE, b""),
        ("c.js", MODULE, b"--dotdo-\r\n"),
    ];
    read(store, form(&parts), 10_000).unwrap()
}

#[test]
fn the_pieces_are_the_form_of_the_upload() {
    for length in [10, 2 * 1024 * 1024] {
        let store = MemoryStore::default();
        let upload = sealed(&store, length);
        let (content_type, body) =
            script_pieces(&upload.metadata, &upload.head.parts, &upload.contents, [7; 16]).unwrap();
        assert_eq!(
            content_type,
            "multipart/form-data; boundary=dotdo-07070707070707070707070707070707"
        );
        let bytes = join(&store, body.pieces());
        assert_eq!(body.length(), bytes.len() as u64);
        let is_stored = |piece: &Piece| matches!(piece, Piece::Stored { .. });
        assert_eq!(body.pieces().iter().any(is_stored), length > 10);
        let received = MemoryStore::default();
        let options = StreamOptions::default();
        let parsed = read_form(&received, &content_type, chunks(bytes, 60_000), options, None).unwrap();
        assert!(parsed.metadata == upload.metadata);
        let sizes: BTreeMap<_, _> = parsed
            .head
            .parts
            .iter()
            .map(|part| (part.name.as_str(), part.size))
            .collect();
        assert_eq!(
            sizes,
            BTreeMap::from([("index.js", length as u64), ("empty.js", 0), ("c.js", 10)])
        );
        let last = &parsed.head.parts[2];
        assert_eq!(part_bytes(&contents(&received, &parsed), last), b"--dotdo-\r\n");
        assert_eq!(last.content_type.as_deref(), Some(MODULE));
    }
}

#[test]
fn a_part_outside_of_the_contents_is_an_error() {
    let store = MemoryStore::default();
    let upload = sealed(&store, 10);
    for contents in [
        Staged::Memory(vec![0; 9].into()),
        Staged::Object {
            key: "k".to_owned(),
            length: 9,
        },
    ] {
        assert_eq!(
            script_pieces(&upload.metadata, &upload.head.parts, &contents, [7; 16]),
            Err(BrokenBundle::Form)
        );
    }
    let mut parts = upload.head.parts;
    parts[0].offset = u64::MAX;
    assert!(script_pieces(&upload.metadata, &parts, &upload.contents, [7; 16]).is_err());
}
