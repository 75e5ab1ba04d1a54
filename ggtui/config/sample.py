"""The documented files: config.toml with every default, models.toml with every key, ready to be edited."""

from __future__ import annotations

SAMPLE = """\
# ggtui configuration. Every line shows the default; remove the # to change it.
# Each key but those of names can also be set in the environment as GGTUI_<KEY>, such as GGTUI_PORT=8081;
# those of [backends] and [downloads] with their table, such as GGTUI_DOWNLOADS_PARALLEL=4.

# models_dirs = ["~/models"]      # folders with .gguf files, searched in depth; none by default
# stores = ["huggingface", "llama.cpp", "lmstudio", "ollama"]  # whose models are found too; [] for none
# data_dir = "~/.local/share/ggtui"
# read_only = false               # true: nothing can be loaded, stopped or changed

[server]
# host = "127.0.0.1"              # any other address needs an API key
# port = 8080
# api_key_file = "api-key"        # a file with the key clients must send, or a name and a key in each line
# hosts = []                      # further names that clients may call this machine by
# default_ctx = "auto"            # tokens, when nobody chooses; auto: the largest of 4k 8k 16k 32k that fits
# admission_timeout_s = 180       # how long a request may wait for its model
# turn_quantum_s = 10             # how long a model keeps its turn while others wait
# max_queue = 1024                # requests that may wait; one more gets 429
# max_body_mb = 64                # largest request body, MiB
# count_timeout_ms = 250          # a long request without a model: how long its tokens may be counted,
# estimate_ms = 5                 # and how long they may be estimated instead

[names]
# default = ""                    # id that serves requests that name no model; none: they get 503
# unnamed = "default"             # "running": without a default, the model that became ready last serves them
# disabled = []                   # ids that are switched off

[aliases]                         # other names for ids; the line is an example
# "gpt-4" = "qwen3-8b-q4_k_m"

[residency]
# strategy = "single"             # one model at a time; "memory": as many as the memory holds
# memory_budget_mb = 0            # MiB that they may take together; 0: all that is free, less a margin
# keep_alive_s = -1               # an idle model is stopped after this long; -1 keeps it
# pinned = []                     # ids of models that are never evicted once loaded
# preload = []                    # ids of models that are loaded at the start
# restore_last = false            # true: load what was loaded last

[launch]
# llama_server = ""               # a path, "embedded", or empty: PATH first, then the embedded engine
# n_gpu_layers = "auto"
# n_parallel = 4                  # requests a model answers at once
# kv_unified = true               # they share one context; false gives each its own
# cache_type_k = "f16"            # f32 f16 bf16 q8_0 q5_1 q5_0 q4_1 q4_0 iq4_nl
# cache_type_v = "f16"
# flash_attn = "auto"
# n_threads = "auto"
# projector = true                # a vision projector beside a model is loaded with it
# extra_args = []                 # passed to llama-server as they are
# stop_grace_s = 5                # from a polite stop to SIGKILL
# stall_timeout_s = 120           # a load without progress for this long is given up
# stuck_timeout_s = 120           # a server with requests that does nothing for this long is restarted

[screen]
# ascii = false                   # true: no glyphs beyond ASCII
# mouse = true                    # false leaves selecting to the terminal

[backends]                        # other servers, which are declared below
# policy = "auto"                 # which of several serves a model: auto and highest-context take the one
                                  # with the most context; random; low-latency; priority: the first listed
# interval_s = 10                 # how often they are asked what they have

[downloads]
# parallel = 2                    # how many run at once
# max_mb_per_s = 0                # MiB per second of all together; 0: no limit

# Deployments are names with rules of their own, in front of models of this machine or of other servers.
# There are none by default. Each needs a name and a model; values here are examples, and
# `ggtui validate FILE` tells what is wrong in a file, or what its deployments mean.

# [[deployment]]
# name = "qwen"                   # what clients send
# model = "qwen3-8b-q4_k_m"       # id of a model here, its file, or the name that another server knows
# runtime = "llama_server"        # or open_ai, anthropic, gemini, lite_llm, vllm, …; else the model decides
# runtime_config = { ctx = 8192 } # tokens of context, when nobody chose others
# gpus = 1                        # of each replica
# replicas = 1
# default = false                 # true: it serves requests that name no model, unless [names] default does
# fallback = ["gpt-4o-mini"]      # deployments, or models of backends, that are asked when it cannot serve
# policy = "auto"                 # which backend serves it, where several have the model; as in [backends]
# groups = ["chat"]               # only backends of these groups serve it
# adapters = [{ name = "code", path = "code.gguf", weight = 0.8 }]  # LoRA files: clients ask for "qwen:code"
# idempotent = true               # false: a request that was sent is never sent again

# [deployment.serving]
# max_concurrent = 4              # by default what the server does at once; 32 for other servers
# on_capacity_exhausted = "queue" # or reject, fallback
# queue_capacity = 1024           # requests that may wait
# queue_timeout = "30s"           # lengths of time: "250ms", "30s", "1m", "1h", or a number of milliseconds

# [deployment.rate_limits]
# requests_per_minute = 60
# tokens_per_minute = 100000
# concurrent_requests = 8
# strict = false                  # true: all ggtui of one user of this machine count together
# per_key = false                 # true: each name in api_key_file has these limits for itself

# [deployment.retry]
# max_retries = 3
# initial_backoff = "1s"
# max_backoff = "60s"
# backoff_multiplier = 2.0
# jitter = "equal"                # or full, none
# respect_retry_after = true

# [deployment.circuit_breaker]
# failure_threshold = 10          # failures in a row, after which the server is left alone
# open_duration = "30s"
# half_open_max_probes = 1        # requests that try it then

# [deployment.timeouts]
# request_timeout = "600s"        # to the first byte; 30 s for other servers
# read_timeout = "60s"            # between two events; 10 s for other servers

# [deployment.pricing]
# input_per_mtok_usd = 0.15       # USD for a million tokens
# output_per_mtok_usd = 0.6
# cached_input_per_mtok_usd = 0.075

# [deployment.budget]
# max_spend_per_hour_usd = 1.0
# max_spend_per_day_usd = 10.0
# on_exceeded = "reject"          # or warn, throttle

# [[deployment]]
# name = "gpt-4o-mini"
# model = "gpt-4o-mini"
# [deployment.runtime_config]
# runtime = "open_ai"
# endpoint = "https://api.openai.com/v1"
# api_key = { from = "env", name = "OPENAI_API_KEY" }  # or from = "file", name = "openai.key"

# Backends are other servers, with the models that they should serve. ggtui asks them what they have, shows
# what differs, has Ollama pull what is missing, and never deletes anything there by itself. Clients ask for
# a model by its name; a deployment of the same name, and a model of this machine, go before it.

# [[backend]]
# name = "gpu-box"
# type = "vllm"                   # ollama, vllm, openai, gemini, llama_server, llama_router, ggtui
# base_url = "http://192.168.1.9:8000"         # openai and gemini need none
# api_key = { from = "env", name = "GPU_KEY" } # as for deployments
# groups = ["chat"]
# models = ["qwen3", { name = "embedder", capabilities = ["embed"], context_length = 8192 }]

# What should lie on this disk comes from the model hub.

# [[model]]
# name = "qwen3-8b"               # how it is shown; without one as its repository
# repository = "unsloth/Qwen3-8B-GGUF:Q4_K_M"

# A model without a repository should be on every backend of its groups.

# [[model]]
# name = "llama3.2"
# groups = ["chat"]
# capabilities = ["chat", "prompt", "stream"]  # or embed; else what the backend tells counts
# context_length = 32768

# As soon as there is one group, only what shares a group belongs together: a backend without a group is not
# asked, and a model is served by backends of its groups alone.

# [[group]]
# name = "chat"
# policy = "priority"             # in place of that in [backends]
"""


MODELS_SAMPLE = """\
# ggtui settings of single models, in models.toml beside config.toml: one table per public id, in quotes.
# A key that is not there leaves it to the configuration; values here are examples.

["qwen3-8b-q4_k_m"]
ctx = 16384                     # tokens, when a request asks for none; [ and ] on the screen set it too
slots = 2                       # requests it answers at once
kv_unified = true               # they share one context; false gives each its own
cache_type_k = "q8_0"           # f32 f16 bf16 q8_0 q5_1 q5_0 q4_1 q4_0 iq4_nl
cache_type_v = "q8_0"
gpu_layers = 24                 # or "auto"
flash_attn = true               # or "auto"
threads = 8                     # or "auto"
projector = false               # without its vision projector
template = "chatml"             # a name that llama.cpp has built in, or a Jinja file: "own.jinja"
adapters = [                    # LoRA files; clients ask for "qwen3-8b-q4_k_m:code"
    { name = "code", path = "loras/code.gguf", weight = 0.8 },  # from this folder, or absolute
    { name = "chat", path = "qwen3-chat-lora" },                # one that was found; weight 1
]
stacks = [                      # several under one name: "qwen3-8b-q4_k_m:both"
    { name = "both", normalise = true, adapters = [             # true: weights are made to sum to 1
        { name = "code", weight = 0.8 },
        { name = "chat", weight = 0.5 },
    ] },
]
extra_args = ["--no-warmup"]    # in place of those of the configuration
keep_alive = "30m"              # stopped after so long without a request; seconds, "10m", -1 for ever
pinned = false                  # true: never evicted once it is loaded
"""


def models_sample() -> str:
    """The text of a models.toml in which every key is used once."""
    return MODELS_SAMPLE


def sample() -> str:
    """The text of a configuration file in which nothing is changed yet."""
    return SAMPLE
