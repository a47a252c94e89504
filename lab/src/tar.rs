//! A tar archive of a few small files, as Docker wants build contexts and uploads: the ustar format of POSIX.1-1988
//! (<https://www.gnu.org/software/tar/manual/html_node/Standard.html>).

/// Size of a tar record in bytes, fixed by the format.
const BLOCK_BYTES: usize = 512;

/// One file of an archive.
#[derive(Debug, Clone)]
pub struct Entry {
    /// Path in the archive, relative, at most 100 bytes (the format's limit).
    pub path: String,
    /// Permission bits.
    pub mode: u32,
    /// Owner and group.
    pub owner: u32,
    /// What is in the file.
    pub content: Vec<u8>,
}

/// Packs the files into one archive.
#[must_use]
pub fn pack(entries: &[Entry]) -> Vec<u8> {
    let mut archive = Vec::new();
    for entry in entries {
        archive.extend_from_slice(&header(entry));
        archive.extend_from_slice(&entry.content);
        archive.resize(archive.len().next_multiple_of(BLOCK_BYTES), 0);
    }
    archive.resize(archive.len() + 2 * BLOCK_BYTES, 0);
    archive
}

/// The content of the first file of an archive.
#[must_use]
pub fn first(archive: &[u8]) -> Option<Vec<u8>> {
    let field = std::str::from_utf8(archive.get(124..136)?).ok()?;
    let length = usize::from_str_radix(field.trim_matches(['\0', ' ']), 8).ok()?;
    archive
        .get(BLOCK_BYTES..BLOCK_BYTES + length)
        .map(<[u8]>::to_vec)
}

fn header(entry: &Entry) -> [u8; BLOCK_BYTES] {
    let mut block = [0_u8; BLOCK_BYTES];
    put(
        &mut block,
        0,
        entry
            .path
            .as_bytes()
            .get(..entry.path.len().min(100))
            .unwrap_or_default(),
    );
    put(&mut block, 100, format!("{:07o}\0", entry.mode).as_bytes());
    put(&mut block, 108, format!("{:07o}\0", entry.owner).as_bytes());
    put(&mut block, 116, format!("{:07o}\0", entry.owner).as_bytes());
    put(
        &mut block,
        124,
        format!("{:011o}\0", entry.content.len()).as_bytes(),
    );
    put(&mut block, 136, b"00000000000\0"); // the same time for every file, so that the build cache holds
    put(&mut block, 148, b"        ");
    put(&mut block, 156, b"0");
    put(&mut block, 257, b"ustar\x0000");
    let sum: u32 = block.iter().map(|byte| u32::from(*byte)).sum();
    put(&mut block, 148, format!("{sum:06o}\0 ").as_bytes());
    block
}

fn put(block: &mut [u8], at: usize, bytes: &[u8]) {
    for (to, from) in block.iter_mut().skip(at).zip(bytes) {
        *to = *from;
    }
}
