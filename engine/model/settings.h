#ifndef JML_SETTINGS_H
#define JML_SETTINGS_H

#include "field.h"

/*
 * settings: what a programme says besides its pairings: cohort, people, nightly, confirm.
 *
 * Checked here so that a fault is told when the programme is put; read by those who use them, from
 * the programme's source. Each value may be NULL. Pure; faults go where the caller's path stands.
 *
 *     cohort:
 *       size: 20                        how many are placed in all
 *       method: stable | stable_to | optimal
 *       quotas: [{field: stage, code: seed, min: 2, max: 8}]
 *       preferences: true               stated wishes count
 *       tie_seed: 7                     equal scores drawn by this lottery
 *       pinned: [[startup-a, host-b]]   pairs that must be, from side first
 *       excluded: [startup-c, [startup-d, host-b]]   profiles, or pairs, that must not be
 *       host_min: 2                     fewest a host takes if it takes any; or {host-b: 2}
 *     people: true                      a human decides
 *     nightly: true                     or {k: 50}
 *     confirm: [paris, silicon-valley]  metros whose officers must sign a run
 */
void settings_check_cohort(struct field_checker *checker, const msgpack_object *cohort);
void settings_check_people(struct field_checker *checker, const msgpack_object *people);
void settings_check_nightly(struct field_checker *checker, const msgpack_object *nightly);
void settings_check_confirm(struct field_checker *checker, const msgpack_object *confirm);

#endif
