import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestFixtures } from '@mono/test-support'

/** Writes a file that is there until the end of the test. @returns its path */
export async function writeTemporaryFile(content: string, cleanUp: TestFixtures['cleanUp']): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'example-'))
  cleanUp(() => rm(directory, { recursive: true }))
  const file = join(directory, 'file.pem')
  await writeFile(file, content)
  return file
}
