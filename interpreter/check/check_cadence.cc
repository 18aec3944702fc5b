// Cadences: tracks, steps, rules, and what the builder of the CRM allows (sales-engagement 4).
#include <fmt/format.h>

#include <algorithm>

#include "base/near_miss.h"
#include "check/internal/checker.h"
#include "value/time_text.h"

namespace ensue::check::internal {
namespace {

const std::vector<std::string>& engagement_events() {
  static const std::vector<std::string> kEvents = {
      "Reply",       "Open",           "Link Click",         "Out of Office",
      "Soft Bounce", "Hard Bounce",    "Meaningful Connect", "Not Interested",
      "Unqualified", "Left Voicemail", "Call Back Later"};
  return kEvents;
}

// The spelling of the list, or none.
const std::string* find_event(std::string_view name) {
  for (const std::string& event : engagement_events()) {
    if (base::equal_folded(event, name)) return &event;
  }
  return nullptr;
}

bool is_mail(StepKind kind) {
  return kind == StepKind::kAutomatedEmail || kind == StepKind::kManualEmail;
}

}  // namespace

void Checker::check_cadences() {
  for (size_t i = 0; i < module_->files.size(); ++i) {
    enter(FileId(i));
    for (NodeId id : declarations()) {
      if (tree_->is(id, NodeKind::kCadenceDecl)) check_cadence(id);
      if (tree_->is(id, NodeKind::kQuickCadenceDecl)) check_quick_cadence(id);
      if (tree_->is(id, NodeKind::kTemplateDecl)) {
        // Merge fields (Recipient, Sender, Organization) are bound when a mail is sent; texts alone
        // are read here.
        ast::TemplateDecl decl(*tree_, id);
        for (NodeId part : {decl.subject(), decl.body()}) {
          if (!part.valid()) continue;
          for (NodeId piece : tree_->children(part)) {
            if (!tree_->is(piece, NodeKind::kPath)) continue;
            auto names = tree_->children(piece);
            std::string first = names.empty() ? "it" : std::string(tree_->text(names[0]));
            static const std::vector<std::string> kSources = {"Recipient", "Sender",
                                                              "Organization"};
            bool known = std::any_of(kSources.begin(), kSources.end(), [&](const std::string& s) {
              return base::equal_folded(s, first);
            });
            if (!known) {
              report(DiagnosticKind::kUnknownReference, span(piece), {"merge field", first})
                  .note("a template reads Recipient, Sender and Organization")
                  .suggest(base::nearest(first, kSources));
            }
          }
        }
      }
    }
  }
}

void Checker::report_unknown_event(NodeId quoted) {
  report(DiagnosticKind::kUnknownEvent, span(quoted), {text(quoted)})
      .suggest_quoted(nearest_value(text(quoted), engagement_events()));
}

void Checker::check_targets(NodeId list, Cadence& cadence) {
  for (NodeId name : tree_->items(list)) {
    types::ObjectId object = object_named(name);
    if (!object) continue;
    const std::string& object_name = module_->schema.object(object).name;
    if (object_name != "Lead" && object_name != "Contact" && object_name != "PersonAccount") {
      report(DiagnosticKind::kNotATarget, span(name), {with_article(object_name)});
      continue;
    }
    cadence.targets.push_back(object);
  }
}

void Checker::check_events(NodeId list, std::vector<std::string>& out,
                           std::vector<std::pair<std::string, Span>>& events) {
  for (NodeId quoted : tree_->items(list)) {
    const std::string* event = find_event(text(quoted));
    if (event == nullptr) {
      report_unknown_event(quoted);
      continue;
    }
    for (const auto& [used, where] : events) {
      if (used != *event) continue;
      bool same_list = where.begin >= span(list).begin;
      report(DiagnosticKind::kEventUsedTwice, span(quoted),
             {*event, same_list ? "twice in this list" : "in two rules of this cadence"})
          .label(where, "used here first");
      break;
    }
    events.emplace_back(*event, span(quoted));
    out.push_back(*event);
  }
}

void Checker::check_cadence(NodeId id) {
  ast::CadenceDecl decl(*tree_, id);
  Automation head = automation_head(id, decl.name(), decl.attributes());
  Cadence cadence;
  cadence.name = head.name;
  cadence.author = head.author;
  cadence.version = head.version;
  cadence.draft = head.draft;
  cadence.name_span = head.name_span;
  check_targets(decl.targets(), cadence);
  std::vector<std::pair<std::string, Span>> events;
  check_events(decl.exits(), cadence.exits, events);
  for (NodeId track : tree_->items(decl.tracks())) check_track(track, cadence, events);
  if (cadence.track("main") == nullptr)
    report(DiagnosticKind::kNoMainTrack, span(decl.name()), {cadence.name});
  size_t steps = 0;
  for (const CadenceTrack& track : cadence.tracks) steps += track.steps.size();
  uint32_t most = module_->options.bounds.cadence_steps_max;
  if (steps > most) {
    report(DiagnosticKind::kTooManySteps, span(decl.name()),
           {cadence.name, fmt::format("{}", steps), fmt::format("{}", most)});
  }
  module_->cadence_index.emplace(cadence.name, static_cast<uint32_t>(module_->cadences.size()));
  module_->cadences.push_back(std::move(cadence));
}

void Checker::check_track(NodeId id, Cadence& cadence,
                          std::vector<std::pair<std::string, Span>>& events) {
  ast::Track decl(*tree_, id);
  static const std::vector<std::string> kTracks = {"main", "positive", "negative"};
  CadenceTrack track;
  track.name = text(decl.name());
  for (char& c : track.name) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  track.name_span = span(decl.name());
  bool known = std::find(kTracks.begin(), kTracks.end(), track.name) != kTracks.end();
  if (!known) {
    report(DiagnosticKind::kUnknownTrack, span(decl.name()), {text(decl.name())})
        .suggest(base::nearest(track.name, kTracks));
  }
  if (const CadenceTrack* first = cadence.track(track.name)) {
    report(DiagnosticKind::kTrackTwice, span(decl.name()), {cadence.name, track.name})
        .label(first->name_span, "the first one");
  }
  bool entered = !tree_->items(decl.entries()).empty();
  if (track.name == "main" && entered) {
    report(DiagnosticKind::kTrackEntry, span(decl.entries()),
           {"main is entered by adding a target, not by an event"});
  } else if (known && track.name != "main" && !entered) {
    report(DiagnosticKind::kTrackEntry, span(decl.name()),
           {fmt::format("nothing leads to track {}: write `on \"…\"`", track.name)});
  }
  check_events(decl.entries(), track.entries, events);
  check_track_items(decl.items(), cadence, track, false);
  cadence.tracks.push_back(std::move(track));
}

void Checker::check_track_items(NodeId items, Cadence& cadence, CadenceTrack& track, bool nested) {
  auto rows = tree_->items(items);
  std::optional<StepKind> before;
  bool listener_before = false;
  for (size_t i = 0; i < rows.size(); ++i) {
    NodeId row = rows[i];
    if (tree_->is(row, NodeKind::kStepDecl)) {
      CadenceStep step = check_step(row, track);
      bool mails = step.kind == StepKind::kAutomatedEmail && before == StepKind::kAutomatedEmail;
      if (mails && step.delay && !step.delay->business) {
        bool hours = step.delay->unit == DurationUnit::kHour && step.delay->amount < 24;
        if (hours) report(DiagnosticKind::kMailsTooClose, span(row));
      } else if (mails && !step.delay) {
        report(DiagnosticKind::kMailsTooClose, span(row));
      }
      before = step.kind;
      listener_before = false;
      track.steps.push_back(std::move(step));
      continue;
    }
    bool last = i + 1 == rows.size() && !nested;
    bool branch = tree_->is(row, NodeKind::kBranchDecl);
    NodeId yes = tree_->child(row, branch ? 1 : 2);
    NodeId no = tree_->child(row, branch ? 2 : 3);
    bool empty = tree_->items(yes).empty() && tree_->items(no).empty();
    if (branch && before != StepKind::kCall) {
      report(DiagnosticKind::kBranchPlace, span(row),
             {"a branch on a call result follows a call step"});
    }
    if (!branch && !(before && is_mail(*before)) && !listener_before) {
      report(DiagnosticKind::kBranchPlace, span(row), {"a listener follows an e-mail step"});
    }
    if (last && empty)
      report(DiagnosticKind::kBranchPlace, span(row),
             {fmt::format("{} cannot stand last with nothing to do",
                          branch ? "a branch" : "a listener")});
    NodeId event = tree_->child(row, 0);
    if (find_event(text(event)) == nullptr) report_unknown_event(event);
    if (!branch) read_duration(ast::ListenDecl(*tree_, row).duration());
    check_track_items(yes, cadence, track, true);
    check_track_items(no, cadence, track, true);
    before.reset();
    listener_before = !branch;
  }
}

CadenceStep Checker::check_step(NodeId id, const CadenceTrack& track) {
  ast::StepDecl decl(*tree_, id);
  CadenceStep step;
  step.title = text(decl.name());
  step.title_span = span(decl.name());
  for (const CadenceStep& known : track.steps) {
    if (!base::equal_folded(known.title, step.title)) continue;
    report(DiagnosticKind::kStepTwice, span(decl.name()), {step.title})
        .label(known.title_span, "the first one");
    break;
  }
  if (decl.delay().valid()) {
    step.delay = read_duration(decl.delay());
    bool countable = !step.delay || step.delay->unit == DurationUnit::kHour ||
                     step.delay->unit == DurationUnit::kDay ||
                     step.delay->unit == DurationUnit::kWeek;
    if (!countable) {
      report(DiagnosticKind::kStepDelay, span(decl.delay()),
             {fmt::format("{}s", value::unit_name(step.delay->unit))});
    }
  }
  check_step_kind(decl.step_kind(), step);
  auto variants = tree_->items(decl.variants());
  uint32_t most = module_->options.bounds.step_variants_max;
  if (variants.size() > most) {
    report(DiagnosticKind::kTooManyVariants, span(decl.variants()), {fmt::format("{}", most)});
  }
  int64_t sum = 0;
  for (NodeId row : variants) {
    ast::Variant variant(*tree_, row);
    sum += whole_number(variant.percent(), 1, 100, "the percentage").value_or(0);
    bool script = step.kind == StepKind::kCall;
    const NamedTable& table = script ? names_->scripts : names_->templates;
    if (table.count(text(variant.template_name())) == 0 &&
        !broken(script ? "script" : "template", text(variant.template_name()))) {
      report(DiagnosticKind::kUnknownHere, span(variant.template_name()),
             {script ? "script" : "template", text(variant.template_name())});
    }
  }
  if (!variants.empty() && sum != 100)
    report(DiagnosticKind::kVariantsSum, span(decl.variants()), {fmt::format("{}", sum)});
  step.on_completion = text(decl.on_completion());
  if (decl.on_completion().valid()) {
    bool known = names_->flows.count(step.on_completion) != 0 ||
                 names_->subflows.count(step.on_completion) != 0 ||
                 broken("flow", step.on_completion);
    if (!known)
      report(DiagnosticKind::kUnknownHere, span(decl.on_completion()),
             {"flow", step.on_completion});
  }
  return step;
}

void Checker::check_step_kind(NodeId id, CadenceStep& step) {
  ast::StepKind decl(*tree_, id);
  step.kind = static_cast<StepKind>(decl.op());
  step.argument = text(decl.argument());
  if (!decl.argument().valid()) return;
  auto refer = [&](const NamedTable& table, const char* word) {
    if (table.count(step.argument) != 0 || broken(word, step.argument)) return;
    report(DiagnosticKind::kUnknownHere, span(decl.argument()), {word, step.argument})
        .suggest_quoted(base::nearest(step.argument, names_of(table)));
  };
  switch (step.kind) {
    case StepKind::kAutomatedEmail:
    case StepKind::kManualEmail: refer(names_->templates, "template"); break;
    case StepKind::kCall: refer(names_->scripts, "script"); break;
    case StepKind::kScreenFlow: refer(names_->screen_flows, "screen flow"); break;
    case StepKind::kLink: cadence_named(decl.argument()); break;
    default: break;
  }
}

void Checker::check_quick_cadence(NodeId id) {
  ast::QuickCadenceDecl decl(*tree_, id);
  Automation head = automation_head(id, decl.name(), decl.attributes());
  Cadence cadence;
  cadence.name = head.name;
  cadence.author = head.author;
  cadence.version = head.version;
  cadence.draft = head.draft;
  cadence.quick = true;
  cadence.name_span = head.name_span;
  check_targets(decl.targets(), cadence);
  std::vector<std::pair<std::string, Span>> events;
  check_events(decl.exits(), cadence.exits, events);
  CadenceStep step;
  check_step_kind(decl.step_kind(), step);
  if (step.kind == StepKind::kAutomatedEmail || step.kind == StepKind::kScreenFlow ||
      step.kind == StepKind::kLink) {
    report(DiagnosticKind::kQuickStepKind, span(decl.step_kind()))
        .note(
            "its step is `call`, `manual email`, `inmail`, `connection request` or `custom \"…\"`");
  }
  step.title = step_kind_name(step.kind);
  read_duration(decl.every());
  if (decl.times().valid())
    whole_number(decl.times(), 1, module_->options.bounds.quick_repeats_max,
                 "the number of repetitions");
  if (decl.until().valid() && find_event(text(decl.until())) == nullptr)
    report_unknown_event(decl.until());
  CadenceTrack main;
  main.name = "main";
  main.steps.push_back(std::move(step));
  cadence.tracks.push_back(std::move(main));
  module_->cadence_index.emplace(cadence.name, static_cast<uint32_t>(module_->cadences.size()));
  module_->cadences.push_back(std::move(cadence));
}

}  // namespace ensue::check::internal
