#!/bin/sh
# Verify a captured Spark message with openssl alone:
#   sh verify.sh headers.txt body.bin 00001.pem
# headers.txt holds the request's headers as they came, one a line; body.bin the body, byte for byte.
set -eu
headers=$1 body=$2 certificate=$3
work=$(mktemp -d)
trap 'rm -r "$work"' EXIT

# Every x-vaultapisignature-… header: name in small letters, colon, value without blanks around it; sorted by name.
tr -d '\r' <"$headers" | awk '{
  at = index($0, ":"); name = tolower(substr($0, 1, at - 1)); value = substr($0, at + 1)
  gsub(/^[ \t]+|[ \t]+$/, "", value)
  if (name ~ /^x-vaultapisignature-/) print name ":" value
}' | LC_ALL=C sort -t: -k1,1 >"$work/signed"
url=$(sed -n 's/^x-vaultapisignature-url://p' "$work/signed")

# Then the body as it is, a line feed, and the URL without one.
cat "$body" >>"$work/signed"
printf '\n%s' "$url" >>"$work/signed"

tr -d '\r' <"$headers" | awk 'tolower($1) == "x-vaultapi-signaturev2:" { print $2 }' |
  openssl base64 -d -A >"$work/signature"
openssl x509 -in "$certificate" -pubkey -noout >"$work/key.pem"
openssl dgst -sha256 -verify "$work/key.pem" -signature "$work/signature" "$work/signed"
