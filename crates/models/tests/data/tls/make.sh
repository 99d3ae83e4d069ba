#!/bin/sh
# Makes the certificates of the tests: an authority, and a server named localhost. Both are valid for
# a hundred years, and trusted by nobody.
set -e
cd "$(dirname "$0")"
openssl ecparam -name prime256v1 -genkey -noout -out ca.key
openssl req -x509 -new -key ca.key -days 36500 -subj "/CN=test authority" -out ca.pem
openssl ecparam -name prime256v1 -genkey -noout | openssl pkcs8 -topk8 -nocrypt -out server.key
printf 'subjectAltName = DNS:localhost\nbasicConstraints = CA:FALSE\n' > extensions
openssl req -new -key server.key -subj "/CN=localhost" |
  openssl x509 -req -CA ca.pem -CAkey ca.key -set_serial 1 -days 36500 -extfile extensions -out server.pem
rm ca.key extensions
