// Records to and from their rows.
#include "engine/record_codec.h"

#include <catch2/catch.hpp>

#include "support/programs.h"

namespace ensue::testing {

TEST_CASE("what is stored is read again, also under a lower bound of texts") {
  engine::ProgramPtr program = program_of("");
  const types::Schema& schema = program->schema();
  types::ObjectId lead = schema.find_object("Lead");
  types::Record record;
  record.object = lead;
  record.id = "l1";
  for (auto [field, size] : {std::pair("LastName", 30), {"Company", 200}, {"Description", 5000}}) {
    record.fields.set(schema.object(lead).find(field),
                      Value::text(std::string(static_cast<size_t>(size), 'x')));
  }
  std::string row = engine::RecordCodec(schema, Bounds{}).encode(record);
  Bounds lower;
  lower.text_bytes_max = 100;
  engine::RecordCodec codec(schema, lower);
  Result<types::Record> again = codec.decode(lead, "l1", row, false);
  REQUIRE(again.has_value());
  CHECK(codec.encode(*again) == row);
  CHECK(again->fields.present().size() == 3);
}

}  // namespace ensue::testing
