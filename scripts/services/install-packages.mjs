// @ts-check

import { copyFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { explainFailure } from '../describe-failure.mjs'
import { environment } from '../environment.mjs'
import { findCommand, run } from './processes.mjs'
import { say, step } from './progress.mjs'

const policyFile = '/usr/sbin/policy-rc.d'
const policy = '#!/bin/sh\n# Made by setup-services.sh for the time of an installation.\nexit 101\n'
const clusterSettings = '/etc/postgresql-common/createcluster.conf'
const packagedClusterSettings = '/usr/share/postgresql-common/createcluster.conf'

/** @returns {string | undefined} why packages cannot be installed here */
export function findInstallObstacle() {
  if (!findCommand('apt-get')) return 'this is not a Debian or Ubuntu system'
  if (process.getuid?.() !== 0) return 'only root may install packages'
  return undefined
}

/**
 * Installs Debian packages without letting them start a service or make a database cluster: the private instances are
 * all that runs.
 * @param {string[]} packages
 */
export async function installPackages(packages) {
  /** @type {(() => void)[]} */
  const restore = []
  const undo = () => {
    for (const action of restore.splice(0)) action()
  }
  // Also when Ctrl-C comes in the middle: a forgotten policy-rc.d would keep every later service from starting.
  const interrupted = () => process.exit(130)
  process.once('exit', undo).once('SIGINT', interrupted).once('SIGTERM', interrupted)
  try {
    if (!existsSync(policyFile) || readFileSync(policyFile, 'utf8') === policy) {
      writeFileSync(policyFile, policy, { mode: 0o755 })
      restore.push(() => rmSync(policyFile, { force: true }))
    }
    if (packages.includes('postgresql') && !existsSync(clusterSettings)) {
      const made = mkdirSync(dirname(clusterSettings), { recursive: true })
      writeFileSync(clusterSettings, 'create_main_cluster = false\n')
      restore.push(() => {
        if (existsSync(packagedClusterSettings)) copyFileSync(packagedClusterSettings, clusterSettings)
        else rmSync(made ?? clusterSettings, { force: true, recursive: made !== undefined })
      })
    }
    const env = { ...environment, DEBIAN_FRONTEND: 'noninteractive', UCF_FORCE_CONFFOLD: '1', LC_ALL: 'C.UTF-8' }
    const apt = (/** @type {string[]} */ ...args) => run('apt-get', ['-o', 'DPkg::Lock::Timeout=120', ...args], { env })
    say(`installing the Debian packages ${packages.join(' and ')} (no service is started)`)
    // Package lists that cannot be renewed may still serve.
    const update = await step('apt-get update', () => apt('-q', 'update'))
    const install = await step(`apt-get install ${packages.join(' ')}`, () =>
      apt('-q', 'install', '-y', '--no-install-recommends', ...packages),
    )
    if (install.code !== 0) {
      const faults = `${update.stderr}\n${install.stderr}`
      throw explainFailure(`"apt-get install ${packages.join(' ')}" failed with code ${install.code}`, faults)
    }
  } finally {
    process.off('exit', undo).off('SIGINT', interrupted).off('SIGTERM', interrupted)
    undo()
  }
}
