// @ts-check
import { createHash } from 'node:crypto'
import { existsSync, realpathSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { environment } from '../environment.mjs'

/** The repository's root directory, symbolic links resolved. */
export const rootDirectory = realpathSync(join(dirname(fileURLToPath(import.meta.url)), '..', '..'))

const usualDirectory = join(rootDirectory, '.local')

/**
 * Data, logs and state of the private instances; ignored by git. Another directory has other instances: then nothing that
 * is done to these is done to those of `npm start`.
 */
export const localDirectory = resolve(rootDirectory, environment.MONO_LOCAL_DIRECTORY ?? usualDirectory)

/**
 * @param {string} path
 * @returns {string} the path itself if it is there, else the innermost directory above it that is
 */
export const findExisting = (path) => (existsSync(path) ? path : findExisting(dirname(path)))

/**
 * Names this clone's instances among all processes of the machine. It depends on the directory, so that a copied
 * `.local` never leads one clone to the other's processes.
 */
export const instanceName = `mono-${createHash('sha256')
  .update(localDirectory === usualDirectory ? rootDirectory : localDirectory)
  .digest('hex')
  .slice(0, 10)}`
