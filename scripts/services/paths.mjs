// @ts-check
import { createHash } from 'node:crypto'
import { realpathSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The repository's root directory, symbolic links resolved. */
export const rootDirectory = realpathSync(join(dirname(fileURLToPath(import.meta.url)), '..', '..'))

/** Data, logs and state of the private instances; ignored by git. */
export const localDirectory = join(rootDirectory, '.local')

/**
 * Names this clone's instances among all processes of the machine. It depends on the directory, so that a copied
 * `.local` never leads one clone to the other's processes.
 */
export const instanceName = `mono-${createHash('sha256').update(rootDirectory).digest('hex').slice(0, 10)}`
