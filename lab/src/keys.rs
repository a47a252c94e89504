//! Certificates and keys of the mall, made anew for each lab and kept in its state directory: an authority of its own,
//! certificates of the two sites, and what a merchant and WeChat Pay sign with (API v3 asks for RSA with 2048 bits,
//! <https://pay.weixin.qq.com/doc/v3/merchant/4012365342>).

use std::path::{Path, PathBuf};

use openssl::asn1::Asn1Time;
use openssl::bn::BigNum;
use openssl::ec::{EcGroup, EcKey};
use openssl::error::ErrorStack;
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::pkey::{PKey, Private};
use openssl::rsa::Rsa;
use openssl::x509::extension::{
    BasicConstraints, ExtendedKeyUsage, KeyUsage, SubjectAlternativeName,
};
use openssl::x509::{X509, X509NameBuilder};
use rand::Rng;
use rand::distr::Alphanumeric;

use crate::error::{LabError, Result};

/// The site of the mall.
pub const MALL_SITE: &str = "api.mall.com";

/// The site of WeChat Pay.
pub const WECHATPAY_SITE: &str = "api.mch.weixin.qq.com";

/// The merchant's id at the stand-in.
pub const MERCHANT_ID: &str = "1900000109";

/// Serial number of the merchant's certificate: always the same, so that a configuration can name it.
pub const MERCHANT_SERIAL: &str = "48414E4442454C4C4D45524348414E5430303031";

/// Serial number of WeChat Pay's certificate, likewise.
pub const PLATFORM_SERIAL: &str = "48414E4442454C4C504C4154464F524D30303031";

/// Id of WeChat Pay's public key, likewise.
pub const PUBLIC_KEY_ID: &str = "PUB_KEY_ID_0119000001092026110100000000000001";

/// How long a good certificate is valid, in days.
const GOOD_DAYS: i64 = 365;

/// Length of an API v3 key in characters, as WeChat Pay has it.
const API_V3_KEY_CHARACTERS: usize = 32;

/// Seconds of a day.
const DAY: i64 = 86_400;

/// Bits of an RSA key.
const RSA_BITS: u32 = 2_048;

/// What a certificate says of a site.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// The names that it is for.
    pub names: Vec<String>,
    /// From when it is valid, in days from now.
    pub from_days: i64,
    /// Until when, in days from now.
    pub until_days: i64,
    /// Signed by itself rather than by the authority.
    pub self_signed: bool,
}

impl Wanted {
    /// A good certificate for a site.
    #[must_use]
    pub fn good(site: &str) -> Self {
        Self {
            names: vec![site.to_owned()],
            from_days: -1,
            until_days: GOOD_DAYS,
            self_signed: false,
        }
    }
}

/// The directory with the keys of one lab.
#[derive(Debug, Clone)]
pub struct Keys {
    directory: PathBuf,
}

/// A certificate and its key, PEM.
#[derive(Debug)]
pub struct Pair {
    /// The certificate.
    pub certificate: Vec<u8>,
    /// The private key.
    pub key: Vec<u8>,
}

impl Keys {
    /// The keys in a state directory.
    #[must_use]
    pub fn of(state_dir: &Path) -> Self {
        Self {
            directory: state_dir.join("keys"),
        }
    }

    /// One of the files.
    #[must_use]
    pub fn file(&self, name: &str) -> PathBuf {
        self.directory.join(name)
    }

    /// The certificate and the key of a site.
    #[must_use]
    pub fn site(&self, site: &str) -> (PathBuf, PathBuf) {
        (
            self.file(&format!("{site}.pem")),
            self.file(&format!("{site}.key")),
        )
    }

    /// Makes everything that is not there yet.
    ///
    /// # Errors
    /// When a file cannot be written.
    pub fn ensure(&self) -> Result<()> {
        if self.file("api-v3.key").is_file() {
            return Ok(()); // the last that is written
        }
        std::fs::create_dir_all(&self.directory)
            .map_err(LabError::file("make", &self.directory))?;
        let authority = authority().map_err(wrong)?;
        self.write("mall-ca.pem", &authority.certificate)?;
        self.write("mall-ca.key", &authority.key)?;
        for site in [MALL_SITE, WECHATPAY_SITE] {
            let pair = self.issue(&Wanted::good(site))?;
            self.write(&format!("{site}.pem"), &pair.certificate)?;
            self.write(&format!("{site}.key"), &pair.key)?;
        }
        for (name, serial) in [("merchant", MERCHANT_SERIAL), ("platform", PLATFORM_SERIAL)] {
            let (pair, public) = signer(name, serial).map_err(wrong)?;
            self.write(&format!("{name}.pem"), &pair.certificate)?;
            self.write(&format!("{name}.key"), &pair.key)?;
            self.write(&format!("{name}-public.pem"), &public)?;
        }
        let secret: String = rand::rng()
            .sample_iter(Alphanumeric)
            .take(API_V3_KEY_CHARACTERS)
            .map(char::from)
            .collect();
        self.write("api-v3.key", secret.as_bytes())
    }

    /// Issues a certificate with a key of its own.
    ///
    /// # Errors
    /// When the authority's files cannot be read.
    pub fn issue(&self, wanted: &Wanted) -> Result<Pair> {
        let read = |name: &str| {
            let path = self.file(name);
            std::fs::read(&path).map_err(LabError::file("read", &path))
        };
        let (certificate, key) = (read("mall-ca.pem")?, read("mall-ca.key")?);
        leaf(wanted, &certificate, &key).map_err(wrong)
    }

    /// Containers read these files as users that are not their owner; the directory above keeps others out.
    fn write(&self, name: &str, content: &[u8]) -> Result<()> {
        let path = self.file(name);
        std::fs::write(&path, content).map_err(LabError::file("write", &path))
    }
}

#[expect(clippy::needless_pass_by_value, reason = "it is the end of a map_err")]
fn wrong(error: ErrorStack) -> LabError {
    LabError::Program {
        program: "OpenSSL".to_owned(),
        why: format!("could not make a key or a certificate: {error}"),
    }
}

fn small_key() -> Result<PKey<Private>, ErrorStack> {
    let group = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1)?;
    PKey::from_ec_key(EcKey::generate(&group)?)
}

/// Everything that all certificates have in common.
#[expect(
    clippy::disallowed_methods,
    reason = "a certificate that real servers show is valid by the machine's own clock"
)]
fn begun(
    common_name: &str,
    key: &PKey<Private>,
    from_days: i64,
    until_days: i64,
    serial: &BigNum,
) -> Result<openssl::x509::X509Builder, ErrorStack> {
    let mut builder = X509::builder()?;
    builder.set_version(2)?; // counted from 0: X.509 v3
    builder.set_serial_number(serial.to_asn1_integer()?.as_ref())?;
    let now = jiff::Timestamp::now().as_second();
    builder.set_not_before(Asn1Time::from_unix(now + from_days * DAY)?.as_ref())?;
    builder.set_not_after(Asn1Time::from_unix(now + until_days * DAY)?.as_ref())?;
    let mut name = X509NameBuilder::new()?;
    name.append_entry_by_text("O", "Handbell lab")?;
    name.append_entry_by_text("CN", common_name)?;
    let name = name.build();
    builder.set_subject_name(&name)?;
    builder.set_issuer_name(&name)?;
    builder.set_pubkey(key)?;
    Ok(builder)
}

fn any_serial() -> Result<BigNum, ErrorStack> {
    let mut bytes = [0_u8; 16];
    rand::rng().fill(&mut bytes);
    bytes[0] |= 1; // never empty
    BigNum::from_slice(&bytes)
}

fn pair(certificate: &X509, key: &PKey<Private>) -> Result<Pair, ErrorStack> {
    Ok(Pair {
        certificate: certificate.to_pem()?,
        key: key.private_key_to_pem_pkcs8()?,
    })
}

fn authority() -> Result<Pair, ErrorStack> {
    let key = small_key()?;
    let mut builder = begun("Handbell lab CA", &key, -2, 10 * GOOD_DAYS, &any_serial()?)?;
    builder.append_extension(BasicConstraints::new().critical().ca().build()?)?;
    builder.append_extension(
        KeyUsage::new()
            .critical()
            .key_cert_sign()
            .crl_sign()
            .build()?,
    )?;
    builder.sign(&key, MessageDigest::sha256())?;
    pair(&builder.build(), &key)
}

fn leaf(wanted: &Wanted, ca: &[u8], ca_key: &[u8]) -> Result<Pair, ErrorStack> {
    let key = small_key()?;
    let name = wanted.names.first().map_or("nobody", String::as_str);
    let mut builder = begun(
        name,
        &key,
        wanted.from_days,
        wanted.until_days,
        &any_serial()?,
    )?;
    let mut names = SubjectAlternativeName::new();
    for name in &wanted.names {
        names.dns(name);
    }
    let authority = X509::from_pem(ca)?;
    let context = builder.x509v3_context(Some(&authority), None);
    let names = names.build(&context)?;
    builder.append_extension(names)?;
    builder.append_extension(BasicConstraints::new().critical().build()?)?;
    builder.append_extension(ExtendedKeyUsage::new().server_auth().build()?)?;
    if wanted.self_signed {
        builder.sign(&key, MessageDigest::sha256())?;
    } else {
        builder.set_issuer_name(authority.subject_name())?;
        builder.sign(
            PKey::private_key_from_pem(ca_key)?.as_ref(),
            MessageDigest::sha256(),
        )?;
    }
    pair(&builder.build(), &key)
}

/// A key that signs messages, with a certificate of a known serial number, and its public half.
fn signer(name: &str, serial: &str) -> Result<(Pair, Vec<u8>), ErrorStack> {
    let key = PKey::from_rsa(Rsa::generate(RSA_BITS)?)?;
    let serial = BigNum::from_hex_str(serial)?;
    let mut builder = begun(name, &key, -1, 5 * GOOD_DAYS, &serial)?;
    builder.append_extension(KeyUsage::new().digital_signature().build()?)?;
    builder.sign(&key, MessageDigest::sha256())?;
    let public = key.public_key_to_pem()?;
    Ok((pair(&builder.build(), &key)?, public))
}
