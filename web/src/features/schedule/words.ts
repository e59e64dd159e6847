const platforms: Record<string, string> = {
  tidings: 'Tidings',
  webhook: 'Webhook',
  bluesky: 'Bluesky',
  mastodon: 'Mastodon',
  discord: 'Discord',
  telegram: 'Telegram',
};

const states: Record<string, string> = {
  draft: 'Draft',
  scheduled: 'Scheduled',
  publishing: 'Publishing',
  published: 'Published',
  partially_published: 'Partly published',
  failed: 'Failed',
  missed: 'Missed',
  canceled: 'Canceled',
  pending: 'Waiting',
  claimed: 'Starting',
  sending: 'Sending',
  succeeded: 'Published',
  retry_wait: 'Will try again',
  unknown: 'Could not confirm',
  skipped: 'Missed',
};

export const platformName = (platform: string): string => platforms[platform] ?? platform;

export const stateName = (state: string): string => states[state] ?? state;

/** How a state is coloured. */
export function moodOf(state: string): 'good' | 'bad' | 'doubt' | 'busy' | 'quiet' {
  if (state === 'published' || state === 'succeeded') return 'good';
  if (state === 'failed' || state === 'missed' || state === 'skipped') return 'bad';
  if (state === 'unknown' || state === 'partially_published' || state === 'retry_wait') return 'doubt';
  if (state === 'publishing' || state === 'claimed' || state === 'sending') return 'busy';
  return 'quiet';
}
