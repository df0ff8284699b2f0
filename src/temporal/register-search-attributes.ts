import type { Connection } from '@temporalio/client';
import { ConfigError } from '../config-error';
import { SEARCH_ATTRIBUTES } from '../workflows/search-attributes';

/** Of Temporal's API: `IndexedValueType`. */
const TYPE_NUMBERS = { Keyword: 2, Datetime: 6, KeywordList: 7 } as const;

/**
 * Registers what the workflow publishes and is not there yet: an attribute that the server does not know fails a run's
 * task for ever.
 * @throws {ConfigError} with the commands to type where this may not be done from here (Temporal Cloud)
 */
export async function registerSearchAttributes(connection: Connection, namespace: string): Promise<void> {
  const { operatorService } = connection;
  let missing = Object.entries(SEARCH_ATTRIBUTES);
  try {
    const { customAttributes } = await operatorService.listSearchAttributes({ namespace });
    missing = missing.filter(([name]) => !(name in customAttributes));
    if (missing.length === 0) return;
    const searchAttributes = Object.fromEntries(missing.map(([name, type]) => [name, TYPE_NUMBERS[type]]));
    await operatorService.addSearchAttributes({ namespace, searchAttributes });
  } catch (error) {
    if (await areKnown(connection, namespace)) return;
    const commands = missing.map(
      ([name, type]) =>
        `  temporal operator search-attribute create --namespace ${namespace} --name ${name} --type ${type}`,
    );
    throw new ConfigError(
      `Search attributes are missing in namespace ${namespace}, and could not be registered from here (${(error as Error).message}). Register them, then start again:\n${commands.join('\n')}`,
    );
  }
}

/** Where they may not be listed: a filter that names an unknown one is refused. */
async function areKnown({ workflowService }: Connection, namespace: string): Promise<boolean> {
  const query = Object.keys(SEARCH_ATTRIBUTES)
    .map((name) => `${name} IS NULL`)
    .join(' AND ');
  return workflowService.countWorkflowExecutions({ namespace, query }).then(
    () => true,
    () => false,
  );
}
