// json-rules-engine: an engine for each owner. Dates are compared as text by operators of our own, since the ones
// of the package take numbers only; what a rule is told of is the fields that some rule reads.
import { Engine } from 'json-rules-engine'
import { fields, rulesByOwner, run, typeOf } from './harness.mjs'

function condition (node) {
  if (node.and) return { all: node.and.map(condition) }
  if (node.or) return { any: node.or.map(condition) }
  if (node.not) return { not: condition(node.not) }
  const fact = node.field
  if ('is' in node) return { fact, operator: 'equal', value: node.is }
  if ('oneOf' in node) return { fact, operator: 'in', value: node.oneOf }
  if ('startsWith' in node) return { fact, operator: 'startsWith', value: node.startsWith }
  if ('isBlank' in node) return { fact, operator: 'equal', value: null }
  if ('isTrue' in node) return { fact, operator: 'equal', value: true }
  const date = typeOf[fact] === 'date'
  if ('atLeast' in node) return { fact, operator: date ? 'notBefore' : 'greaterThanInclusive', value: node.atLeast }
  return { fact, operator: date ? 'notAfter' : 'lessThanInclusive', value: node.atMost }
}

function engineOf (rules) {
  const engine = new Engine([], { allowUndefinedFacts: true })
  engine.addOperator('startsWith', (text, start) => text !== null && text.startsWith(start))
  engine.addOperator('notBefore', (text, date) => text !== null && text >= date)
  engine.addOperator('notAfter', (text, date) => text !== null && text <= date)
  for (const rule of rules) {
    const whole = [condition(rule.if)]
    if (rule.on.length === 1) whole.unshift({ fact: 'kind', operator: 'equal', value: rule.on[0] })
    engine.addRule({ conditions: { all: whole }, event: { type: 'start', params: { rule: rule.rule } } })
  }
  return engine
}

const engines = new Map()
const shards = await rulesByOwner()
for (const [owner, rules] of shards) {
  engines.set(owner, engineOf(rules))
  shards.set(owner, null)
}

await run('json-rules-engine', async ({ kind, set }, found) => {
  const engine = engines.get(engines.has(undefined) ? undefined : set.OwnerId)
  if (!engine) return
  const facts = { kind }
  for (const { name } of fields) facts[name] = set[name]
  const { events } = await engine.run(facts)
  for (const { params } of events) found.push(params.rule)
})
