// LuaJIT inside a program: luajit.lua makes the rules functions of Lua; this side reads an event
// into one table, which is the same for all events, and calls them.
//
//   bench_luajit WORKLOAD luajit.lua OUTPUT SECONDS
#include <string>
#include <vector>

#include "peer.h"

extern "C" {
#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>
}

namespace {

using ensue::bench::PeerField;

class Matcher {
 public:
  // `match(record, is_new)` of the script returns how many rules hold; their numbers stand in
  // `found`.
  Matcher(const std::string& folder, const char* script)
      : reader_(folder), state_(luaL_newstate()) {
    luaL_openlibs(state_);
    lua_pushstring(state_, folder.c_str());
    lua_setglobal(state_, "folder");
    loaded_ = luaL_dofile(state_, script) == 0;
    if (!loaded_) {
      fmt::print(stderr, "{}\n", lua_tostring(state_, -1));
      return;
    }
    // They stay on the stack: 1 is match, 2 found, 3 the record, then the names of the fields.
    lua_getglobal(state_, "match");
    lua_getglobal(state_, "found");
    lua_newtable(state_);
    luaL_checkstack(state_, 100, "names");
    for (const PeerField& field : reader_.fields())
      if (field.read) lua_pushstring(state_, field.name.c_str());
    begin_ = lua_gettop(state_) - reader_.slots() + 1;
  }

  bool loaded() const { return loaded_; }

  void match(simdjson::padded_string_view json, std::vector<uint32_t>& out) {
    // Null is nil.
    for (int i = 0; i < reader_.slots(); ++i) {
      lua_pushvalue(state_, begin_ + i);
      lua_pushnil(state_);
      lua_rawset(state_, begin_ - 1);
    }
    bool is_new = reader_.read(json, [&](const PeerField& field, simdjson::ondemand::value& value) {
      lua_pushvalue(state_, begin_ + field.slot);
      switch (field.type) {
        case PeerField::Type::kText: {
          std::string_view text = value;
          lua_pushlstring(state_, text.data(), text.size());
          break;
        }
        case PeerField::Type::kNumber: lua_pushnumber(state_, double(value)); break;
        case PeerField::Type::kDate:
          lua_pushnumber(
              state_,
              static_cast<double>(ensue::bench::EventReader::date_number(std::string_view(value))));
          break;
        case PeerField::Type::kBoolean: lua_pushboolean(state_, bool(value) ? 1 : 0); break;
      }
      lua_rawset(state_, begin_ - 1);
    });
    lua_pushvalue(state_, begin_ - 3);
    lua_pushvalue(state_, begin_ - 1);
    lua_pushboolean(state_, is_new ? 1 : 0);
    lua_call(state_, 2, 1);
    int count = static_cast<int>(lua_tointeger(state_, -1));
    lua_pop(state_, 1);
    for (int i = 1; i <= count; ++i) {
      lua_rawgeti(state_, begin_ - 2, i);
      out.push_back(static_cast<uint32_t>(lua_tointeger(state_, -1)));
      lua_pop(state_, 1);
    }
  }

 private:
  ensue::bench::EventReader reader_;
  lua_State* state_;
  bool loaded_ = false;
  int begin_ = 0;
};

}  // namespace

int main(int count, char** words) {
  if (count != 5) {
    fmt::print(stderr, "usage: bench_luajit WORKLOAD SCRIPT OUTPUT SECONDS\n");
    return 2;
  }
  Matcher matcher(words[1], words[2]);
  if (!matcher.loaded()) return 1;
  return ensue::bench::run_peer("LuaJIT", words[1], words[3], std::stod(words[4]),
                                [&](simdjson::padded_string_view json, std::vector<uint32_t>& out) {
                                  matcher.match(json, out);
                                });
}
