import { relative } from 'node:path'
import type { TemplateFault } from './template-error.js'

/** The fields of LiquidJS's errors that say where and what; other errors have none of them. */
interface LiquidErrorLike {
  token?: { file?: string; getPosition?(): number[] }
  originalError?: { message?: string; variableName?: string }
}

/** @param where the file that was being worked on; LiquidJS may know another one, such as the layout */
export function toLiquidFault(error: unknown, { directory, file }: { directory: string; file: string }): TemplateFault {
  const { token, originalError } = error as LiquidErrorLike
  const { code, message } = error as NodeJS.ErrnoException
  const place = [token?.file ? relative(directory, token.file) : file, ...(token?.getPosition?.() ?? [])].join(':')
  const variable = originalError?.variableName
  if (code === 'ENOENT' && token === undefined && !message.startsWith('ENOENT: Failed to lookup')) {
    return { file, reason: 'is missing' }
  }
  const reason = (originalError?.message ?? message).replace(/, (file|line):.*$/s, '').replaceAll(`${directory}/`, '')
  return { file: place, ...(variable === undefined ? {} : { variable }), reason }
}
