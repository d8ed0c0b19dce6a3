#!/bin/sh
# usage: docker/tls/make-certificates.sh [client…]
#
# Makes what docker-compose.tls.yml reads, in docker/tls/certificates or the directory of TLS_CERTIFICATES: an authority,
# valid for 10 years; of it a certificate for each server, valid for 1 year; and one for each client named, which may be
# a user of the broker. Run again, it keeps the authority and makes the certificates anew.
set -eu

authority_days=3650
certificate_days=365
names='DNS:localhost,IP:127.0.0.1'

directory=${TLS_CERTIFICATES:-$(dirname "$0")/certificates}
# Of the files, only the authority's key is closed to others: the users of the containers have other ids than who runs
# this, and each container is given its own key only. On this machine the directory keeps others out.
umask 077
mkdir -p "$directory"
chmod 700 "$directory"
work=$(mktemp -d "$directory/making.XXXXXX")
trap 'rm -rf "$work"' EXIT

cat >"$work/request.conf" <<'END'
[req]
prompt = no
distinguished_name = name
[name]
CN = set by -subj
[authority]
basicConstraints = critical,CA:TRUE,pathlen:0
keyUsage = critical,keyCertSign,cRLSign
subjectKeyIdentifier = hash
END

new_key() { # file
  openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$1"
}

fail() {
  echo "$*" >&2
  exit 1
}

make_authority() {
  new_key "$work/authority-key.pem"
  openssl req -x509 -new -config "$work/request.conf" -extensions authority -key "$work/authority-key.pem" \
    -subj '/CN=mono authority' -days "$authority_days" -out "$work/authority.pem"
  chmod 644 "$work/authority.pem"
  mv "$work/authority-key.pem" "$work/authority.pem" "$directory"
  echo "authority: made, valid for $authority_days days"
}

keep_authority() {
  [ -e "$directory/authority.pem" ] && [ -e "$directory/authority-key.pem" ] ||
    fail "$directory: expected authority.pem and authority-key.pem, found one without the other"
  openssl x509 -in "$directory/authority.pem" -noout -checkend $((certificate_days * 86400)) >/dev/null ||
    fail "$directory/authority.pem: expected to be valid for $certificate_days more days; move it away, with its key, for a new one"
  echo 'authority: kept'
}

make_certificate() { # name extended-key-usage subject-alternative-names
  new_key "$work/$1-key.pem"
  {
    echo 'basicConstraints = critical,CA:FALSE'
    echo 'keyUsage = critical,digitalSignature'
    echo "extendedKeyUsage = $2"
    echo 'authorityKeyIdentifier = keyid'
    [ -z "$3" ] || echo "subjectAltName = $3"
  } >"$work/extensions.conf"
  openssl req -new -config "$work/request.conf" -key "$work/$1-key.pem" -subj "/CN=$1" -out "$work/request.pem"
  openssl x509 -req -in "$work/request.pem" -CA "$directory/authority.pem" -CAkey "$directory/authority-key.pem" \
    -set_serial "0x$(openssl rand -hex 16)" -extfile "$work/extensions.conf" -days "$certificate_days" \
    -out "$work/$1.pem" 2>"$work/said" || fail "$1: $(cat "$work/said")"
  chmod 644 "$work/$1.pem" "$work/$1-key.pem"
  mv "$work/$1-key.pem" "$work/$1.pem" "$directory"
  echo "$1: made, valid for $certificate_days days"
}

for client; do
  case $client in
    authority | rabbitmq | postgres | mail-catcher) fail "$client: expected a name of a client" ;;
    '' | *[!A-Za-z0-9._-]*) fail "client: expected letters, digits and ._-, found '$client'" ;;
  esac
done

if [ -e "$directory/authority.pem" ] || [ -e "$directory/authority-key.pem" ]; then keep_authority; else make_authority; fi
make_certificate rabbitmq serverAuth "DNS:rabbitmq,DNS:RevitonQ.mono,$names"
make_certificate postgres serverAuth "DNS:postgres,$names"
make_certificate mail-catcher serverAuth "DNS:mail-catcher,$names"
for client; do make_certificate "$client" clientAuth ''; done
