use super::{Volumes, mounts, read_only};

const TEXT: &str = "\
22 27 0:21 / /proc rw,relatime - proc proc rw
24 27 0:6 / /dev rw,relatime - devtmpfs devtmpfs rw
27 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw
30 27 254:0 /data /srv/a\\040b rw,relatime - ext4 /dev/vda rw
31 27 7:1 / /snap/core ro,relatime - squashfs /dev/loop1 ro
32 27 0:55 / /var/lib/docker/overlay2/abc/merged rw - overlay overlay rw
33 27 0:60 / /var/lib/docker/volumes/mall_redis/_data rw - tmpfs tmpfs rw,size=2048k
34 27 0:61 / /var/lib/docker/volumes/other_redis/_data rw - tmpfs tmpfs rw,size=2048k
35 27 0:62 / /var/lib/docker/containers/abc/mounts/shm rw - tmpfs shm rw,size=65536k
36 27 8:17 / /mnt/disk\\040two rw - xfs /dev/sdb1 rw
37 27 8:18 / /mnt/fixed rw - ext4 /dev/sdb2 ro
a line that is none
";

fn places(volumes: Option<&Volumes>) -> Vec<String> {
    let mut all: Vec<String> = mounts(TEXT, volumes)
        .into_iter()
        .map(|one| one.at)
        .collect();
    all.sort();
    all
}

#[test]
fn real_file_systems_are_told_from_the_others() {
    let ours = Volumes::from([(
        "/var/lib/docker/volumes/mall_redis/_data".to_owned(),
        "mall_redis_master".to_owned(),
    )]);
    assert_eq!(
        places(Some(&ours)),
        [
            "/",
            "/mnt/disk two",
            "/var/lib/docker/volumes/mall_redis/_data"
        ]
    );
    // Without an engine to ask nobody knows whose a volume is, so each counts.
    assert_eq!(places(None).len(), 4);
}

#[test]
fn a_disk_that_the_kernel_made_read_only_is_told() {
    // Mounted for writing, and the file system takes none; what is read-only by wish is not told.
    assert_eq!(read_only(TEXT, "", None), ["/mnt/fixed"]);
    let text = "\
30 27 8:1 / / ro,relatime - ext4 /dev/sda1 ro
31 27 8:2 / /srv ro,relatime - ext4 /dev/sda2 ro,errors=remount-ro
32 27 8:3 / /archive ro,relatime - ext4 /dev/sda3 ro
33 27 8:4 /conf /etc/nginx ro,relatime - ext4 /dev/sda4 rw,errors=remount-ro
34 27 8:5 / /var/lib/docker/volumes/other/_data rw - ext4 /dev/sdb1 ro
35 27 8:6 / /new rw,relatime - ext4 /dev/sdc1 rw,emergency_ro
36 27 11:0 / /media/cd rw,relatime - iso9660 /dev/sr0 ro
37 27 0:70 / /x rw - overlay overlay ro
38 27 8:5 / /data/backup rw - ext4 /dev/sdb1 ro
";
    let fstab = "# all\n/dev/sda1 / ext4 defaults 0 1\n/dev/sda3 /archive ext4 noatime,ro 0 2\n";
    let ours = Volumes::new();
    let mut all = read_only(text, fstab, Some(&ours));
    all.sort();
    assert_eq!(all, ["/", "/data/backup", "/new", "/srv"]);
}
