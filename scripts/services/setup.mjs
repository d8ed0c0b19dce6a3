// @ts-check
import '../require-node.mjs'

await import('./setup-command.mjs')
