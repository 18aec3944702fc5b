// Graphs of checked automations: who starts whom, and what one of them looks like.
#include <algorithm>
#include <catch2/catch.hpp>
#include <regex>

#include "graph/trigger_graph.h"
#include "support/programs.h"

namespace ensue::graph {
namespace {

// A flow on leads with a condition and a write, both as written; with `made` 0 it is about
// something else.
std::string flow(const std::string& name, const std::string& condition, const std::string& write,
                 const std::string& trigger = "Lead is created or edited, after save") {
  return "flow \"" + name + "\"\n  when " + trigger + "\n" +
         (condition.empty() ? "" : "  and meets " + condition + "\n") + "  run as system\n  " +
         write + "\nend\n";
}

struct Subject {
  engine::Loaded loaded;
  explicit Subject(const std::string& source) : loaded(testing::load(source)) {
    INFO(testing::shown(loaded));
    REQUIRE_FALSE(loaded.has_errors);
  }
  // `A>B: Lead.Status`, a line for each edge.
  std::string edges() const {
    TriggerGraph triggers = build_trigger_graph(*loaded.module);
    std::string out;
    for (const Edge& edge : triggers.graph.edges()) {
      out += name(triggers, edge.from) + ">" + name(triggers, edge.to) + ": " + edge.label + "\n";
    }
    return out;
  }
  size_t reported(const std::string& code) const {
    return static_cast<size_t>(std::count_if(loaded.diagnostics.begin(), loaded.diagnostics.end(),
                                             [&](const Diagnostic& d) { return d.code == code; }));
  }
  std::string notes(const std::string& code) const {
    std::string out;
    for (const Diagnostic& diagnostic : loaded.diagnostics) {
      if (diagnostic.code != code) continue;
      for (const std::string& note : diagnostic.notes) out += note + "\n";
    }
    return out;
  }

 private:
  const std::string& name(const TriggerGraph& triggers, NodeId node) const {
    return loaded.module->automations[triggers.automations[node.index]].name;
  }
};

const std::string kHotSetsWorking =
    flow("A", "Rating is \"Hot\"", "update it set Status to \"Working\"");

}  // namespace

TEST_CASE("an automation starts those that watch what it writes") {
  struct Row {
    std::string second;
    const char* edges;
  };
  auto row = GENERATE(values<Row>({
      {flow("B", "Status is \"Working\"", "update it set Title to \"x\""), "A>B: Lead.Status\n"},
      {flow("B", "Status is \"Open\"", "update it set Title to \"x\""),
       ""},  // the value written excludes it
      {flow("B", "Status is not \"Working\"", "update it set Title to \"x\""), ""},
      {flow("B", "Score > 5", "update it set Title to \"x\""), ""},  // another field
      {flow("B", "Score > 5 or Status changed", "update it set Title to \"x\""),
       "A>B: Lead.Status\n"},
      {flow("B", "", "update it set Title to \"x\""),
       "A>B: Lead.Status\nB>B: Lead.Title\n"},  // watches every field
      {flow("B", "Status is \"Working\"", "update it set Title to \"x\"",
            "Lead is created, after save"),
       ""},
      {flow("B", "Status is \"Working\"", "update it set Subject to \"x\"",
            "Case is created or edited, after save"),
       ""},
  }));
  INFO(row.second);
  CHECK(Subject(kHotSetsWorking + row.second).edges() == row.edges);
}

TEST_CASE("creating and deleting records starts what watches for it") {
  std::string creates = flow("A", "Rating is \"Hot\"", "create Task with Subject to \"Call\"");
  std::string on_created = flow("B", "Subject is \"Call\"", "update it set Description to \"x\"",
                                "Task is created, after save");
  CHECK(Subject(creates + on_created).edges() == "A>B: creates Task, Task.Subject\n");
  std::string deletes = flow("A", "Rating is \"Hot\"", "delete it");
  std::string on_deleted =
      flow("B", "", "create Task with Subject to \"Gone\"", "Lead is deleted, after save");
  CHECK(Subject(deletes + on_deleted).edges() == "A>B: deletes Lead\n");
}

TEST_CASE("a cadence effect writes trackers") {
  Subject subject(R"(
action "A" by "ana"
  when Lead is created
  for my records
  then add it to cadence "C"
end
)" + flow("B", "", "update Target set Description to \"x\"",
          "ActionCadenceTracker is created, after save"));
  CHECK(subject.edges() == "A>B: creates ActionCadenceTracker\n");
}

TEST_CASE("a cycle is reported once, with the way round") {
  std::string back = flow("B", "Status is \"Working\"", "update it set Rating to \"Hot\"");
  Subject both(kHotSetsWorking + back);
  CHECK(both.reported("W0801") == 1);
  CHECK(both.notes("W0801") ==
        "the way round: flow \"A\" → flow \"B\" → flow \"A\"\n"
        "it ends when this is false: `Status is \"Working\"` of flow \"B\", or `Rating is \"Hot\"` "
        "of flow \"A\"; "
        "and each runs once per record in one chain of saves\n");
  Subject through_three(kHotSetsWorking +
                        flow("B", "Status is \"Working\"", "update it set Score to 1") +
                        flow("C", "Score = 1", "update it set Rating to \"Hot\""));
  CHECK(through_three.notes("W0801").find(
            "the way round: flow \"A\" → flow \"B\" → flow \"C\" → flow \"A\"\n") == 0);
  Subject itself(flow("A", "Score > 1", "update it set Score to Score + 1"));
  CHECK(itself.notes("W0801") ==
        "the way round: flow \"A\" → flow \"A\"\nit ends when this is false: `Score > 1` of flow "
        "\"A\"; and each runs once per record in one chain of saves\n");
}

TEST_CASE("a chain that cannot come back is no cycle") {
  // B's write makes A's condition impossible.
  CHECK(Subject(kHotSetsWorking +
                flow("B", "Status is \"Working\"", "update it set Rating to \"Cold\""))
            .reported("W0801") == 0);
  CHECK(Subject(kHotSetsWorking).reported("W0801") == 0);
}

TEST_CASE("different values for one field on one event are a conflict") {
  auto other = [](const std::string& condition, const std::string& value) {
    return Subject(kHotSetsWorking +
                   flow("B", condition, "update it set Status to \"" + value + "\""))
        .reported("W0802");
  };
  CHECK(other("Score > 5", "Qualified") == 1);
  CHECK(other("Score > 5", "Working") == 0);
  CHECK(other("Rating is \"Cold\"", "Qualified") == 0);
  CHECK(other("Rating is \"hot\"", "Qualified") == 1);
}

TEST_CASE("what follows a stop is never reached") {
  std::string stops = R"(
flow "A"
  when Lead is created, after save
  run as system
  stop
  update it set Title to "x"
  update it set Company to "x"
end)";
  CHECK(Subject(stops).reported("W0803") == 1);
}

namespace {

// What is found of one kind: the first line it stands in, and its notes.
std::string found(const std::string& code, const std::string& source) {
  engine::Loaded loaded = testing::load(source);
  std::string out;
  for (const Diagnostic& diagnostic : loaded.diagnostics) {
    if (diagnostic.code != code) continue;
    out += diagnostic.message + "\n";
    for (const std::string& note : diagnostic.notes) out += note + "\n";
  }
  return out;
}

std::string subflow(const std::string& name, const std::string& body) {
  return "subflow \"" + name + "\" takes lead as Lead gives rep as User\n" + body + "end\n";
}

const std::string kGives = "  give rep to find first User where IsActive\n";

std::string before_save(const std::string& body) {
  return "flow \"Before\"\n  when Lead is created, before save\n" + body + "end\n";
}

const std::string kRunsPick = "  let rep = run \"Pick\" with lead to it\n  set Owner to rep\n";

}  // namespace

TEST_CASE("before the save a flow only sets") {
  CHECK(found("E0804", before_save("  set Title to \"x\"\n")).empty());
  CHECK(found("E0804", before_save("  if Score > 1\n    stop with fault \"no\"\n  end\n")).empty());
  CHECK(found("E0804", before_save(kRunsPick) + subflow("Pick", kGives)).empty());
  std::string words = "before the save flow \"Before\" may only set fields of the record itself\n";
  for (const char* deed : {"  create Task with Subject to \"x\"\n",
                           "  update it set Title to \"x\"\n", "  delete it\n", "  wait 3 days\n",
                           "  call service \"s\"\n", "  remove it from all cadences\n"}) {
    INFO(deed);
    CHECK(found("E0804", before_save(deed)) == words);
    CHECK(found("E0804", before_save("  if Score > 1\n  " + std::string(deed) + "  end\n")) ==
          words);
    // Through a subflow, and through one that it runs.
    std::string about_lead = std::regex_replace(std::string(deed), std::regex("\\bit\\b"), "lead");
    CHECK(found("E0804", before_save(kRunsPick) + subflow("Pick", about_lead + kGives)) == words);
    CHECK(found("E0804",
                before_save(kRunsPick) +
                    subflow("Pick", "  let more = run \"More\" with lead to lead\n" + kGives) +
                    subflow("More", about_lead + kGives)) == words);
  }
}

TEST_CASE("a subflow that runs itself is told with the way round") {
  std::string again = "  let more = run \"B\" with lead to lead\n" + kGives;
  std::string back = "  let more = run \"A\" with lead to lead\n" + kGives;
  CHECK(found("W0805", subflow("A", again) + subflow("B", back)) ==
        "subflow \"A\" runs itself again\n"
        "the way round: subflow \"A\" → subflow \"B\" → subflow \"A\"\n");
  CHECK(found("W0805", subflow("A", again) + subflow("B", kGives)).empty());
}

TEST_CASE("a way through a subflow on which nothing is given is told") {
  std::string words = "there is a way through subflow \"A\" on which it gives no `rep`\n";
  auto gives = [&](const std::string& body) { return found("W0806", subflow("A", body)); };
  CHECK(gives(kGives).empty());
  CHECK(gives("  if lead.Score > 1\n  " + kGives + "  else\n  " + kGives + "  end\n").empty());
  CHECK(gives("  if lead.Score > 1\n    stop with fault \"no\"\n  end\n" + kGives).empty());
  CHECK(gives("  log \"x\"\n") == words + "no statement gives `rep`\n");
  CHECK(gives("  if lead.Score > 1\n  " + kGives + "  end\n") ==
        words + "the way: `lead.Score > 1` is false\n");
  CHECK(gives("  if lead.Score > 1 and lead.Rating is \"Hot\"\n    log \"x\"\n  else\n  " + kGives +
              "  end\n") ==
        words + "the way: `lead.Score > 1` is true, then `lead.Rating is \"Hot\"` is true\n");
}

TEST_CASE("what never starts is told") {
  CHECK(found("W0807", subflow("Pick", kGives)) == "subflow \"Pick\" never starts\n");
  CHECK(found("W0807", before_save(kRunsPick) + subflow("Pick", kGives)).empty());
  std::string cadence = "cadence \"C\"\n  track main\n    step \"Call 1\" immediately: call\nend\n";
  auto step = [&](const std::string& title, const std::string& name) {
    return found("W0807", cadence + "flow \"F\"\n  when step \"" + title + "\" of cadence \"" +
                              name + "\" completes\n  log \"x\"\nend\n");
  };
  CHECK(step("call 1", "C").empty());
  CHECK(step("Call 2", "C") == "flow \"F\" never starts\n");
  CHECK(step("Call 2", "Kept by the CRM").empty());
}

TEST_CASE("a condition is drawn test by test, wired as it is decided") {
  engine::Loaded loaded = testing::sound(R"(
action "Hot" by "ana"
  when Lead is created or edited
  for records of my team
  and newly meets Rating is "Hot" and (Score > 5 or not (Email is blank))
  then remind me to add it to cadence "C"
end)");
  const check::Automation& automation = *loaded.module->automations.begin();
  FlowGraph graph = build_graph(*loaded.module, automation);
  std::string text = render_text(graph);
  INFO(text);
  auto has = [&](const char* part) { return text.find(part) != std::string::npos; };
  CHECK(has("graph \"action \\\"Hot\\\" by \\\"ana\\\"\"\n"));
  CHECK(has("  0 start \"when Lead is created or edited\"\n"));
  CHECK(has("question \"is the owner in the team of ana?\"\n"));
  CHECK(has("question \"was it false before the save?\"\n"));
  // Every node can be reached, and every way ends.
  std::vector<bool> reachable = reachable_nodes(graph);
  CHECK(std::all_of(reachable.begin(), reachable.end(), [](bool b) { return b; }));
  CHECK(cycles(graph).empty());
  auto test = [&](const char* label) {
    NodeId found;
    for (NodeId id(size_t{0}); id.index < graph.size(); ++id.index) {
      if (graph.node(id).label == label) found = id;
    }
    REQUIRE(found.valid());
    return found;
  };
  auto leads = [&](NodeId from, const char* label) {
    for (const Edge& edge : graph.edges_from(from)) {
      if (edge.label == label) return graph.node(edge.to).label;
    }
    return std::string("nowhere");
  };
  CHECK(leads(test("Rating is \"Hot\""), "yes") == "Score > 5");
  CHECK(leads(test("Rating is \"Hot\""), "no") == "nothing happens");
  CHECK(leads(test("Score > 5"), "yes") == "was it false before the save?");
  CHECK(leads(test("Score > 5"), "no") == "Email is blank");
  CHECK(leads(test("Email is blank"), "no") == "was it false before the save?");
  CHECK(leads(test("Email is blank"), "yes") == "nothing happens");
}

}  // namespace ensue::graph
