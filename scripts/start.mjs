// @ts-check
import './require-node.mjs'

await import('./start/start.mjs')
