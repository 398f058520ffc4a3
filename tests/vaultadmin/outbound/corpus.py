"""URLs, addresses and names that have led other products astray, and the few plain ones that must work."""

import itertools

BAD_ADDRESSES = (
    # IPv4
    "0.0.0.0", "0.1.2.3", "10.0.0.1", "10.255.255.255", "100.64.0.1", "100.100.100.200", "100.127.255.255",
    "127.0.0.1", "127.255.255.254", "168.63.129.16", "169.254.0.1", "169.254.169.254", "172.16.0.1",
    "172.31.255.255", "192.0.0.1", "192.0.0.192", "192.0.2.1", "192.88.99.1", "192.168.0.1", "192.168.255.255",
    "198.18.0.1", "198.19.255.255", "198.51.100.1", "203.0.113.1", "224.0.0.1", "239.255.255.255", "240.0.0.1",
    "255.255.255.255",
    # IPv6 of its own
    "::", "::1", "::2", "fe80::1", "febf::1", "fec0::1", "feff::1", "fc00::1", "fd00:ec2::254", "fdff::1", "ff02::1",
    "ff0e::1", "100::1", "2001::1", "2001:2::1", "2001:10::1", "2001:20::1", "2001:db8::1", "3ffe::1", "3fff::1",
    "5f00::1", "4000::1", "8000::1", "e000::1", "fe80::1%eth0",
    # IPv4 inside IPv6
    "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254", "::ffff:0:127.0.0.1", "::ffff:0:8.8.8.8",
    "::127.0.0.1", "::10.0.0.1", "::8.8.8.8", "64:ff9b::127.0.0.1", "64:ff9b::169.254.169.254", "64:ff9b::10.0.0.1",
    "64:ff9b:1::127.0.0.1", "64:ff9b:1::8.8.8.8", "64:ff9b:1:7f00:0:100::", "2002:7f00:1::", "2002:a00:1::1",
    "2002:a9fe:a9fe::", "2001:0:4136:e378:8000:63bf:80ff:fffe", "2607:f8b0::5efe:10.0.0.1",
    "2607:f8b0::200:5efe:127.0.0.1",
)  # fmt: skip

GOOD_ADDRESSES = (
    "8.8.8.8", "1.1.1.1", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0", "172.15.255.255", "172.32.0.0",
    "192.0.1.1", "198.17.255.255", "198.20.0.0", "223.255.255.255", "2606:4700:4700::1111", "2001:4860:4860::8888",
    "2a00:1450:4001:81b::200e", "2400:cb00:2048:1::c629:d7a2", "64:ff9b::808:808", "::ffff:8.8.8.8",
)  # fmt: skip

REFUSED_URLS = (
    # scheme
    "", "https", "https:", "https:/", "https://", "http://example.com/", "HTTP://example.com/", "ftp://example.com/",
    "file:///etc/passwd", "gopher://example.com:443/_x", "javascript:alert(1)", "data:text/plain,x", "//example.com/",
    "example.com", "https:example.com", "https:/example.com", "https:///example.com", "https:////example.com",
    "https+x://example.com/", "httpss://example.com/", "unix:///var/run/docker.sock",
    # user information
    "https://user@example.com/", "https://user:pass@example.com/", "https://@example.com/", "https://:@example.com/",
    "https://example.com@127.0.0.1/", "https://example.com:443@evil.example.org/", "https://a%40b@example.com/",
    # port
    "https://example.com:80/", "https://example.com:8443/", "https://example.com:0/", "https://example.com:/",
    "https://example.com:0443/", "https://example.com:443:443/", "https://example.com:+443/",
    "https://example.com:-1/", "https://example.com:65536/", "https://example.com:443x/", "https://example.com:6379",
    # IPv4 in every notation
    "https://127.0.0.1/", "https://127.1/", "https://127.0.1/", "https://2130706433/", "https://017700000001/",
    "https://0177.0.0.1/", "https://0x7f.0.0.1/", "https://0x7f000001/", "https://0x7f.1/", "https://0/", "https://00/",
    "https://0x/", "https://127.0.0.1./", "https://127.0.0.01/", "https://256.256.256.256/", "https://1.2.3.4.5/",
    "https://example.123/", "https://example.0x1/", "https://10.0.0.1/", "https://169.254.169.254/latest/meta-data/",
    "https://192.168.1.1/", "https://172.16.0.1/", "https://100.64.0.1/", "https://0.0.0.0/", "https://255.255.255.255/",
    "https://168.63.129.16/",
    # IPv6
    "https://[::1]/", "https://[::]/", "https://[::ffff:127.0.0.1]/", "https://[::ffff:7f00:1]/", "https://[::127.0.0.1]/",
    "https://[fe80::1]/", "https://[fe80::1%25eth0]/", "https://[fe80::1%eth0]/", "https://[2606:4700::1111%251]/",
    "https://[fd00::1]/", "https://[64:ff9b::7f00:1]/", "https://[2002:7f00:1::]/", "https://[::1/", "https://::1/",
    "https://[]/", "https://[example.com]/", "https://[127.0.0.1]/", "https://[v1.x]/", "https://[::1]x/",
    "https://x[::1]/",
    # inner names
    "https://localhost/", "https://LOCALHOST/", "https://sub.localhost/", "https://redis/", "https://printer.local/",
    "https://metadata.google.internal/", "https://vault.corp/", "https://router.home.arpa/", "https://nas.lan/",
    "https://localhost.localdomain/",
    # host form
    "https://example..com/", "https://.example.com/", "https://example.com./", "https://-example.com/",
    "https://example-.com/", "https://exa_mple.com/", "https://exa%6dple.com/", "https://example.com%2f.evil.example/",
    "https://127%2e0.0.1/", "https://example.com%00.evil.example/", "https://" + "a" * 64 + ".com/",
    "https://" + "a." * 130 + "com/", "https://*.example.com/", "https://example,com/", "https://example.com;x/",
    "https://exam!ple.com/", "https://xn--/", "https://xn--a.example/", "https://xn--0.com/",
    # characters
    "https://example.com\\@127.0.0.1/", "https:\\\\example.com\\", "https://example.com\\.evil.example/",
    "https://example.com/\r\nX: y", "https://example.com/ HTTP/1.1", " https://example.com/", "https://example.com/ ",
    "https://exam\tple.com/", "https://exam\nple.com/", "https://example.com/\x00", "https://example.com/\x7f",
    "https://example.com/%0d%0aHost:%20x", "https://example.com/%00", "https://example.com/?q=%00",
    "https://example.com/%zz", "https://example.com/%", "https://example.com/{x}", "https://example.com/<x>",
    'https://example.com/"', "https://example.com/|", "https://example.com/[x]", "https://example.com/^",
    "https://example.com/`", "https://example.com/#fragment", "https://example.com#@127.0.0.1/", "https://example.com/#",
    # international
    "https://ex\u00e4mple.com/", "https://\u24d4xample.com/", "https://\uff11\uff12\uff17.0.0.1/",
    "https://127\u30020\u30020\u30021/", "https://example\u3002com/", "https://example.com\uff0f.evil.example/",
    "https://\u0131.example/", "https://example.com/\u00e9", "https://exam\u00adple.com/", "https://\u202eexample.com/",
    "https://example\u2024com/", "https://loc\u212alhost/", "https://\U0001d4c1ocalhost/", "https://example.com:\uff14\uff14\uff13/",
    # length
    "https://example.com/" + "a" * 2000,
)  # fmt: skip

GOOD_URLS = (
    ("https://example.com", "example.com", "/"),
    ("https://example.com/", "example.com", "/"),
    ("HTTPS://EXAMPLE.com:443/A/b?c=d&e=%20f", "example.com", "/A/b?c=d&e=%20f"),
    ("https://example.com?x=1", "example.com", "/?x=1"),
    ("https://a-b.1st.example.com/~u/;p=1/@here:there/../x", "a-b.1st.example.com", "/~u/;p=1/@here:there/../x"),
    ("https://xn--bcher-kva.example/", "xn--bcher-kva.example", "/"),
    ("https://8.8.8.8/dns-query", "8.8.8.8", "/dns-query"),
    ("https://[2606:4700:4700:0:0:0:0:1111]/", "2606:4700:4700::1111", "/"),
    ("https://example.com/?q=a%0Ab//x?y", "example.com", "/?q=a%0Ab//x?y"),
    ("https://0x7f.example.com/", "0x7f.example.com", "/"),
)

REGION_SUFFIXES = ("myveeva.com", ".ecoa.demo.test")
GOOD_REGIONS = (
    "https://myveeva.com/",
    "https://us.myveeva.com/myveeva/us/",
    "https://US.MyVeeva.com:443/",
    "https://a.b.myveeva.com",
    "https://ecoa.demo.test/myveeva/eu/",
)
BAD_REGIONS = (
    "", "https://", "http://us.myveeva.com/", "ftp://us.myveeva.com/", "//us.myveeva.com/", "us.myveeva.com",
    "https://myveeva.com.evil.test/", "https://evilmyveeva.com/", "https://my-veeva.com/", "https://myveeva.co/",
    "https://myveeva.com.", "https://myveeva.comm/", "https://myveeva/", "https://com/", "https://.myveeva.com/",
    "https://user@us.myveeva.com/", "https://us.myveeva.com@evil.test/", "https://us.myveeva.com:443@evil.test/",
    "https://us.myveeva.com:8443/", "https://us.myveeva.com:80/", "https://us.myveeva.com:/",
    "https://evil.test/us.myveeva.com", "https://evil.test/?us.myveeva.com", "https://evil.test/#.myveeva.com",
    "https://evil.test\\.myveeva.com/", "https://evil.test%2f.myveeva.com/", "https://evil.test%00.myveeva.com/",
    "https://evil.test\t.myveeva.com/", "https://127.0.0.1/", "https://8.8.8.8/", "https://[::1]/",
    "https://xn--myveva-cua.com/", "https://xn--bcher-kva.myveeva.com/", "https://m\u0443veeva.com/",
    "https://us\u3002myveeva\u3002com/", "https://us.myveeva.com\uff0fevil.test/", "https://demo.test/",
    "https://notecoa.demo.test/", "https://us.myveeva.com/\r\n", "https://us.myveeva.com/#x",
)  # fmt: skip

STATUSES = ("301 Moved Permanently", "302 Found", "303 See Other", "307 Temporary Redirect", "308 Permanent Redirect")
TARGETS = (
    "https://second.example.com/",
    "/elsewhere",
    "//second.example.com/",
    "http://169.254.169.254/latest/meta-data/",
    "https://127.0.0.1/",
    "file:///etc/passwd",
    "https://peer.example.com@second.example.com/",
)
REDIRECTS = list(itertools.product(STATUSES, TARGETS))

GOOD, OTHER_GOOD = "8.8.8.8", "2606:4700:4700::1111"
BAD_IN_STORIES = (
    "127.0.0.1", "10.0.0.1", "169.254.169.254", "100.100.100.200", "0.0.0.0", "::1", "fe80::1", "fd00:ec2::254",
    "::ffff:127.0.0.1", "::127.0.0.1", "::ffff:0:127.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::", "fec0::1",
)  # fmt: skip
# Each plot is what the resolver says at one lookup after another; the last line is repeated.
PLOTS = {
    "only bad": lambda bad: [[bad]],
    "bad first": lambda bad: [[bad, GOOD]],
    "bad last": lambda bad: [[GOOD, OTHER_GOOD, bad]],
    "rebinding": lambda bad: [[GOOD], [bad]],
    "rebinding with both": lambda bad: [[GOOD], [GOOD, bad]],
    "flip-flop": lambda bad: [[bad], [GOOD], [bad]],
}
STORIES = {f"{plot}, {bad}": tell(bad) for plot, tell in PLOTS.items() for bad in BAD_IN_STORIES}


def teller(lines):
    waiting = list(lines)

    def resolver(host, port):
        return waiting.pop(0) if len(waiting) > 1 else waiting[0]

    return resolver
