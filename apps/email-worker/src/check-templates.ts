import process from 'node:process'
import { templatesDirectory } from './env.js'
import { TemplateError } from './templates/template-error.js'
import { loadTemplates } from './templates/template-store.js'

/** For CI: `node dist/check-templates.js [directory]` ends with 1 and a list of faults if a template cannot be used. */
const directory = process.argv[2] ?? templatesDirectory()
try {
  const { names } = loadTemplates(directory)
  process.stdout.write(`${directory}: ${names.length} templates are fine: ${names.join(', ')}\n`)
} catch (error) {
  if (!(error instanceof TemplateError)) throw error
  process.stderr.write(`${error.message}\n`)
  process.exitCode = 1
}
