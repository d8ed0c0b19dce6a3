// @ts-check
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseEnv } from 'node:util'
import { environment } from '../environment.mjs'
import { rootDirectory } from './paths.mjs'

function readDotEnv() {
  try {
    return parseEnv(readFileSync(join(rootDirectory, '.env'), 'utf8'))
  } catch {
    // None is there; one that compose cannot read either, it names itself.
    return {}
  }
}

/** The variables of docker-compose.yml as compose finds them: the environment, else the file `.env`. */
export const composeEnvironment = { ...readDotEnv(), ...environment }
