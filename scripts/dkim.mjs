// @ts-check
import { createPrivateKey, createPublicKey, generateKeyPairSync } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import process from 'node:process'
import { domainToASCII } from 'node:url'
import { parseArgs } from 'node:util'

const usage = `usage: npm run dkim -- DOMAIN SELECTOR (--new FILE | --key FILE)

For email-worker, which signs mails with DKIM: prints the record to publish in DNS, and the settings.
  --new   makes a key of RSA with 2,048 bits in a file that does not exist yet; nobody but you may read it
  --key   reads one that exists`

function printDkim() {
  const options = /** @type {const} */ ({ new: { type: 'string' }, key: { type: 'string' } })
  const { values, positionals } = parseArgs({ options, allowPositionals: true })
  const [name = '', selector = '', ...more] = positionals
  const domain = domainToASCII(name)
  if (!domain.includes('.')) throw new Error('Expected a domain such as example.com')
  if (!/^[a-z\d.-]+$/i.test(selector) || more.length > 0) throw new Error('Expected a selector such as mono-2027')
  const file = values.new ?? values.key
  if (!file || (values.new && values.key)) throw new Error('Expected either --new or --key, with a file')
  if (values.new) makeKey(values.new)
  const value = `v=DKIM1; k=rsa; p=${readPublicKey(file)}`
  process.stdout.write(`${selector}._domainkey.${domain}. TXT ${toStrings(value)}

EMAIL_DKIM_DOMAIN=${domain}
EMAIL_DKIM_SELECTOR=${selector}
EMAIL_DKIM_KEY_FILE=${resolve(file)}
`)
}

/** @param {string} file */
function makeKey(file) {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2_048 })
  const pem = privateKey.export({ type: 'pkcs8', format: 'pem' })
  try {
    // Mails that are under way are verified with the key that signed them: none is ever overwritten.
    writeFileSync(file, pem, { flag: 'wx', mode: 0o600 })
  } catch (error) {
    if (codeOf(error) === 'EEXIST') throw new Error(`Expected a file that does not exist, found ${file}`)
    throw new Error(`${file} cannot be written (${codeOf(error)})`)
  }
}

/**
 * As DNS has it: in base64, without the lines of PEM.
 * @param {string} file
 */
function readPublicKey(file) {
  const key = createPublicKey(readPrivateKey(file))
  const bits = key.asymmetricKeyDetails?.modulusLength ?? 0
  if (key.asymmetricKeyType !== 'rsa')
    throw new Error(`Expected a key of RSA in ${file}, found ${key.asymmetricKeyType}`)
  if (bits < 2_048 || bits > 4_096) throw new Error(`Expected a key of 2,048 to 4,096 bits in ${file}, found ${bits}`)
  return key.export({ type: 'spki', format: 'der' }).toString('base64')
}

/** @param {string} file */
function readPrivateKey(file) {
  try {
    return createPrivateKey(readFileSync(file))
  } catch (error) {
    throw new Error(`Expected a private key in PEM in ${file}, found something else (${codeOf(error)})`)
  }
}

/**
 * A record of DNS consists of strings of at most 255 bytes, which are put together without anything between them.
 * @param {string} value
 */
function toStrings(value) {
  return (value.match(/.{1,255}/g) ?? []).map((part) => `"${part}"`).join(' ')
}

/** @param {unknown} error */
function codeOf(error) {
  return /** @type {NodeJS.ErrnoException} */ (error).code
}

try {
  printDkim()
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n${usage}\n`)
  process.exitCode = 1
}
