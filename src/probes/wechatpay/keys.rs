//! The merchant's keys, and those of WeChat Pay.
//!
//! Signing: <https://pay.weixin.qq.com/doc/v3/merchant/4012365342>; verifying:
//! <https://pay.weixin.qq.com/doc/v3/merchant/4013053249>; decrypting certificates:
//! <https://pay.weixin.qq.com/doc/v3/merchant/4012071382>.

use std::{fmt, path::Path};

use openssl::{
    base64::{decode_block, encode_block},
    error::ErrorStack,
    hash::MessageDigest,
    pkey::{Id, PKey, Private, Public},
    rand::rand_bytes,
    sign::{Signer, Verifier},
    symm::{Cipher, decrypt_aead},
    x509::X509,
};
use secrecy::ExposeSecret;

use crate::{
    config::{MAX_SECRET_BYTES, Secret, Wechatpay, WechatpayTrust},
    domain::diagnosis::Unseen,
    probes::web::Certificate,
};

/// The scheme of the `Authorization` header.
const SCHEME: &str = "WECHATPAY2-SHA256-RSA2048";

/// Bytes of a request's nonce; it is written as twice as many characters.
const NONCE_BYTES: usize = 16;

/// Length of the tag at the end of what AES-256-GCM has sealed, in bytes (RFC 5116, 5.2).
const TAG_BYTES: usize = 16;

/// Length of the API v3 key, in bytes.
const API_V3_KEY_BYTES: usize = 32;

/// Who signs WeChat Pay's answers.
#[derive(Clone)]
pub(super) struct Signatory {
    /// `PUB_KEY_ID_…`, or the certificate's serial number.
    pub(super) serial: String,
    key: PKey<Public>,
    /// The certificate, when it is one.
    pub(super) certificate: Option<Certificate>,
}

/// The merchant's private key and whom it believes.
pub(super) struct Keys {
    private: PKey<Private>,
    pub(super) signatory: Signatory,
}

// A key must not be printed by accident.
impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keys")
            .field("signatory", &self.signatory.serial)
            .finish_non_exhaustive()
    }
}

/// Which of the two files can't be used, and why; never what it holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Unfit {
    /// The merchant's private key.
    Private(String),
    /// WeChat Pay's public key or certificate.
    Public(String),
}

impl Unfit {
    /// The reason as a sentence.
    pub(super) fn said(&self) -> &str {
        match self {
            Self::Private(said) | Self::Public(said) => said,
        }
    }

    /// The reason for a probe that needs both.
    pub(super) fn unseen(&self) -> Unseen {
        Unseen::Secret {
            detail: self.said().to_owned(),
        }
    }
}

impl Keys {
    /// Reads both files of `merchant`.
    ///
    /// # Errors
    /// One of them can't be read, or holds something else.
    pub(super) fn read(merchant: &Wechatpay) -> Result<Self, Unfit> {
        Ok(Self {
            private: private(&merchant.private_key)?,
            signatory: signatory(&merchant.trust)?,
        })
    }

    /// The size of the merchant's key, in bits.
    pub(super) fn bits(&self) -> u32 {
        self.private.bits()
    }

    /// The `Authorization` header of a `GET` of `target` (path and query) at `seconds` since 1970.
    ///
    /// # Errors
    /// OpenSSL could not sign.
    pub(super) fn authorization(
        &self,
        merchant: &Wechatpay,
        target: &str,
        seconds: i64,
    ) -> Result<String, ErrorStack> {
        let mut nonce = [0; NONCE_BYTES];
        rand_bytes(&mut nonce)?;
        let nonce = hex::encode_upper(nonce);
        let message = format!("GET\n{target}\n{seconds}\n{nonce}\n\n");
        let mut signer = Signer::new(MessageDigest::sha256(), &self.private)?;
        signer.update(message.as_bytes())?;
        let signature = encode_block(&signer.sign_to_vec()?);
        let (merchant_id, serial) = (&merchant.merchant_id, &merchant.serial);
        Ok(format!(
            "{SCHEME} mchid=\"{merchant_id}\",nonce_str=\"{nonce}\",signature=\"{signature}\",\
             timestamp=\"{seconds}\",serial_no=\"{serial}\""
        ))
    }
}

impl Signatory {
    /// Whether this one has signed `body` with these headers.
    pub(super) fn signed(
        &self,
        timestamp: &str,
        nonce: &str,
        body: &[u8],
        signature: &str,
    ) -> bool {
        let check = || -> Result<bool, ErrorStack> {
            let signature = decode_block(signature)?;
            let mut verifier = Verifier::new(MessageDigest::sha256(), &self.key)?;
            verifier.update(format!("{timestamp}\n{nonce}\n").as_bytes())?;
            verifier.update(body)?;
            verifier.update(b"\n")?;
            verifier.verify(&signature)
        };
        check().unwrap_or(false)
    }

    /// The signatory of a certificate in PEM.
    pub(super) fn of_certificate(pem: &[u8]) -> Option<Self> {
        let certificate = X509::from_pem(pem).ok()?;
        let described = Certificate::of(&certificate);
        Some(Self {
            serial: described.serial.clone(),
            key: certificate.public_key().ok()?,
            certificate: Some(described),
        })
    }
}

/// Whether two serial numbers are the same; leading zeros and case make no difference.
pub(super) fn same_serial(one: &str, other: &str) -> bool {
    let bare = |text: &str| text.trim_start_matches('0').to_ascii_uppercase();
    bare(one) == bare(other)
}

/// Opens a certificate that `/v3/certificates` has sealed with the API v3 key (AES-256-GCM).
///
/// # Errors
/// The key can't be read, has not 32 bytes, or is not the one that it was sealed with.
pub(super) fn unseal(
    key: &Secret,
    nonce: &str,
    associated: &str,
    ciphertext: &str,
) -> Result<Vec<u8>, String> {
    let secret = key.read().map_err(|error| error.to_string())?;
    let bytes = secret.expose_secret().as_bytes();
    if bytes.len() != API_V3_KEY_BYTES {
        return Err(format!(
            "{} holds no API v3 key: it has {} characters and must have {API_V3_KEY_BYTES}",
            key.place(),
            bytes.len()
        ));
    }
    let wrong = || {
        format!(
            "the certificates of WeChat Pay can't be decrypted with the API v3 key of {}",
            key.place()
        )
    };
    let sealed = decode_block(ciphertext).map_err(|_| wrong())?;
    let (data, tag) = sealed
        .len()
        .checked_sub(TAG_BYTES)
        .and_then(|split| sealed.split_at_checked(split))
        .ok_or_else(wrong)?;
    decrypt_aead(
        Cipher::aes_256_gcm(),
        bytes,
        Some(nonce.as_bytes()),
        associated.as_bytes(),
        data,
        tag,
    )
    .map_err(|_| wrong())
}

fn private(secret: &Secret) -> Result<PKey<Private>, Unfit> {
    let pem = secret
        .read()
        .map_err(|error| Unfit::Private(error.to_string()))?;
    // With a passphrase given, an empty one, nobody is asked for one on a terminal.
    let key = PKey::private_key_from_pem_passphrase(pem.expose_secret().as_bytes(), b"");
    match key {
        Ok(key) if key.id() == Id::RSA => Ok(key),
        // What OpenSSL says is left out: it could quote the file.
        _ => Err(Unfit::Private(format!(
            "{} holds no private RSA key in PEM form without a passphrase, as apiclient_key.pem does",
            secret.place()
        ))),
    }
}

fn signatory(trust: &WechatpayTrust) -> Result<Signatory, Unfit> {
    match trust {
        WechatpayTrust::PublicKey { id, file } => match PKey::public_key_from_pem(&bytes(file)?) {
            Ok(key) if key.id() == Id::RSA => Ok(Signatory {
                serial: id.clone(),
                key,
                certificate: None,
            }),
            _ => Err(Unfit::Public(format!(
                "the file {} holds no public RSA key in PEM form, as pub_key.pem does",
                file.display()
            ))),
        },
        WechatpayTrust::Certificate { file, .. } => Signatory::of_certificate(&bytes(file)?)
            .ok_or_else(|| {
                Unfit::Public(format!(
                    "the file {} holds no certificate in PEM form",
                    file.display()
                ))
            }),
    }
}

fn bytes(path: &Path) -> Result<Vec<u8>, Unfit> {
    use std::io::Read;
    let wrong = |error: std::io::Error| {
        Unfit::Public(format!(
            "the file {} can't be read: {error}",
            path.display()
        ))
    };
    let mut read = Vec::new();
    std::fs::File::open(path)
        .map_err(wrong)?
        .take(MAX_SECRET_BYTES)
        .read_to_end(&mut read)
        .map_err(wrong)?;
    Ok(read)
}
