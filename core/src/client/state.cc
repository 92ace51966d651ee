#include "client/state.h"

#include <utility>

namespace gridwhistle {

Error fault_of(const std::exception& error) {
  return {ErrorCode::kInternal, "a fault of this software", error.what()};
}

ClientState::ClientState(const Build& build, ClientOptions options)
    : build_(build),
      options_(std::move(options)),
      strand_(std::make_shared<Strand>(
          *options_.executor, [this](const std::exception& error) { poison(fault_of(error)); })),
      session_({build_.schema->version, options_.software}, *options_.random),
      media_(*this) {}

namespace {

bool has_all_doors(const ClientOptions& options) {
  return options.clock != nullptr && options.random != nullptr && options.secrets != nullptr &&
         options.executor != nullptr && options.connect != nullptr;
}

store::StoreOptions store_options_of(const Build& build, const ClientOptions& options) {
  return {.path = options.path,
          .schema = build.schema,
          .clock = options.clock,
          .random = options.random,
          .read_only = options.read_only,
          .vfs = options.vfs};
}

}  // namespace

Result<Salvage> ClientState::salvage(const ClientOptions& options) {
  if (!has_all_doors(options)) {
    return fail(ErrorCode::kInvalid, "a client needs all its doors", "door missing");
  }
  auto salvaged = store::Store::salvage(store_options_of({}, options));
  if (!salvaged) return std::unexpected(std::move(salvaged.error()));
  return Salvage{std::move(salvaged->kept), salvaged->unsent, salvaged->whole};
}

Result<std::shared_ptr<ClientState>> ClientState::open(const Build& build, ClientOptions options) {
  if (!has_all_doors(options))
    return fail(ErrorCode::kInvalid, "a client needs all its doors", "door missing");
  if (options.callbacks == nullptr) options.callbacks = options.executor;

  std::shared_ptr<ClientState> state(new ClientState(build, std::move(options)));
  store::StoreOptions store_options = store_options_of(build, state->options_);
  store_options.executor = state->strand_.get();
  const auto lock = state->strand_->lock();
  auto store = store::Store::open(std::move(store_options));
  if (!store) return std::unexpected(std::move(store.error()));
  state->store_ = std::move(*store);
  auto sync_state = state->store_->sync_state();
  if (!sync_state) return std::unexpected(std::move(sync_state.error()));
  if (auto resumed = state->resume_wait(*sync_state); !resumed) {
    return std::unexpected(std::move(resumed.error()));
  }
  state->enrolment_ = std::move(sync_state->enrolment);
  return state;
}

bool ClientState::post(std::function<void()> task) {
  const auto lock = strand_->lock();
  if (!store_) return false;
  strand_->post(std::move(task));
  return true;
}

void ClientState::ask(std::function<void(std::uint64_t)> task,
                      std::function<void(const Error&)> no_answer) {
  const auto lock = strand_->lock();
  if (!store_) {
    call_back([no_answer] { no_answer({ErrorCode::kClosed, "the client is closed", ""}); });
    return;
  }
  const std::uint64_t question = ++last_question_;
  questions_.emplace(question, std::move(no_answer));
  strand_->post([question, task = std::move(task)] { task(question); });
}

void ClientState::answer(std::uint64_t question, std::function<void()> task) {
  if (questions_.erase(question) > 0) call_back(std::move(task));
}

std::optional<Error> ClientState::unusable(bool to_write) const {
  if (!store_) return Error{ErrorCode::kClosed, "the client is closed", ""};
  if (to_write && poisoned_) {
    return Error{ErrorCode::kPoisoned, "nothing more is written: " + poisoned_->message,
                 poisoned_->detail};
  }
  return std::nullopt;
}

void ClientState::poison(const Error& error) {
  if (poisoned_) return;
  poisoned_ = error;
  strand_->post([this] { stop(); });
}

void ClientState::note_recorded() {
  if (std::exchange(recorded_posted_, true)) return;
  strand_->post([this] {
    recorded_posted_ = false;
    const bool listens = session_.call_open() || session_.phase() == SyncPhase::kWaiting;
    if (listens && !poisoned_) tell_recorded();
  });
}

void ClientState::tell_recorded() {
  const auto state = store_->sync_state();
  if (!state) return;
  for (const Lane lane : kLanes) {
    perform(session_.recorded(lane, state->lanes[index_of(lane)].last, now_ms()));
  }
}

Result<const KindSchema*> ClientState::kind(std::string_view name) const {
  const KindSchema* kind = build_.schema->kind(name);
  if (kind == nullptr) {
    return fail(ErrorCode::kInvalid, "there is no record kind " + std::string(name),
                "unknown kind");
  }
  return kind;
}

Watch ClientState::watch(std::string kind_name, Query query,
                         std::function<void(Result<std::vector<FoundBytes>>)> changed,
                         Purpose purpose) {
  struct Token {
    std::weak_ptr<ClientState> state;
    store::WatchHandle handle;
    std::function<void(Result<std::vector<FoundBytes>>)> changed;
    ~Token() {
      // Inside the store the handle belongs to the strand.
      if (const auto alive = state.lock()) {
        alive->strand_->release(std::make_shared<store::WatchHandle>(std::move(handle)));
      }
    }
  };
  const auto token = std::make_shared<Token>();
  token->state = weak_from_this();
  token->changed = std::move(changed);
  const std::weak_ptr<Token> watched = token;
  const auto tell = [this, watched](Result<std::vector<FoundBytes>> found) {
    call_back([watched, found = std::move(found)]() mutable {
      if (const auto alive = watched.lock()) alive->changed(std::move(found));
    });
  };
  auto handle = read([&](store::Store& store) -> Result<store::WatchHandle> {
    auto known = kind(kind_name);
    if (!known) return std::unexpected(std::move(known.error()));
    return store.watch((*known)->id, std::move(query), std::move(purpose), tell);
  });
  if (handle) {
    token->handle = std::move(*handle);
  } else {
    tell(std::unexpected(handle.error()));
  }
  return Watch(token);
}

void ClientState::close() {
  std::map<std::uint64_t, std::function<void(const Error&)>> questions;
  std::unique_ptr<store::Store> store;
  {
    const auto lock = strand_->lock();
    if (!store_) return;
    strand_->end();
    if (timer_ms_) strand_->cancel(timer_);
    ++call_number_;
    // The call goes before its transport, both on the executor's thread.
    struct Line {
      std::map<std::uint64_t, std::shared_ptr<Transport>> enrolling;
      std::shared_ptr<Transport> transport;
      std::shared_ptr<Call> call;
      std::shared_ptr<void> media_call;
    };
    strand_->release(std::make_shared<Line>(std::move(enrolling_), std::move(transport_),
                                            std::move(call_), media_.let_go()));
    questions = std::exchange(questions_, {});
    waiting_.clear();
    store = std::move(store_);
  }
  for (auto& [question, unanswered] : questions) {
    call_back([no_answer = std::move(unanswered)] {
      no_answer({ErrorCode::kClosed, "the client was closed", ""});
    });
  }
}

}  // namespace gridwhistle
