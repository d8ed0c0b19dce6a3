import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Certificate, createSelfSignedCertificate } from './self-signed-certificate.js'

/**
 * The certificate that lies in a directory as `certificate.pem` and `key.pem`. It is made if it is not there, and stays
 * the same from then on: a client that trusts it reads it at its own start only.
 */
export async function keepCertificate(directory: string, hosts: readonly string[]): Promise<Certificate> {
  const files = { cert: join(directory, 'certificate.pem'), key: join(directory, 'key.pem') }
  const [cert, key] = await Promise.all([readIfThere(files.cert), readIfThere(files.key)])
  if (cert !== undefined && key !== undefined) return { cert, key }
  const made = createSelfSignedCertificate(hosts)
  await writeFile(files.key, made.key, { mode: 0o600 })
  await writeFile(files.cert, made.cert)
  return made
}

async function readIfThere(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}
