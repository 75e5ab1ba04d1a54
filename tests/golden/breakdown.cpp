// Prints the engine's own memory figures for one GGUF header, one JSON line per configuration.
//
// usage: breakdown [--list] [--tensors] [--repack] [--mtp] [--rpc HOST:PORT]... [--ngl N]
//                  [--ts A,B,..] [--ncmoe N] MODEL < configurations
//
// --list prints the tensors that the architecture can have instead, a name and four dimensions a line.
// A configuration is a line of KEY=VALUE words: ctx np unified ctk ctv fa ub swa_full mtp embedding nkvo.
// Nothing is allocated for weights, KV cache and compute; a recurrent state and the output buffer are real.
// Built with -fno-access-control: the output buffer is a private member of the context.
#include "llama-context.h"
#include "llama-ext.h"
#include "llama-kv-cache-dsv4.h"
#include "llama-memory-hybrid-iswa.h"
#include "llama-memory-hybrid.h"
#include "llama-memory-recurrent.h"
#include "llama-model.h"

#include "ggml-backend.h"
#include "ggml-rpc.h"
#include "gguf.h"

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <iostream>
#include <map>
#include <sstream>
#include <string>
#include <vector>

using sizes = std::map<std::string, size_t>;

static std::string complaints;

static std::string quoted(const std::string & text) {
    std::string out = "\"";
    for (const char c : text) {
        if (c == '"' || c == '\\') {
            out += '\\';
        }
        out += (unsigned char) c < 0x20 ? ' ' : c;
    }
    return out + "\"";
}

static std::string object(const sizes & values) {
    std::string out;
    for (const auto & [name, bytes] : values) {
        if (bytes > 0) {
            out += (out.empty() ? "" : ",") + quoted(name) + ":" + std::to_string(bytes);
        }
    }
    return "{" + out + "}";
}

static void refuse(const std::string & words) {
    printf("{\"refused\":%s}\n", quoted(words).c_str());
    fflush(stdout);
}

static void keep_errors(ggml_log_level level, const char * text, void *) {
    if (getenv("BREAKDOWN_LOG")) {
        fputs(text, stderr);
    }
    if (level == GGML_LOG_LEVEL_ERROR) {
        complaints += text;
    }
}

// The engine aborts on a bad header; the answer is written before the process ends.
static void on_abort(const char * words) {
    refuse(complaints + words);
    _Exit(0);
}

static ggml_type cache_type(const std::string & name) {
    for (int i = 0; i < GGML_TYPE_COUNT; i++) {
        const char * known = ggml_type_name((ggml_type) i);
        if (known && name == known) {
            return (ggml_type) i;
        }
    }
    fprintf(stderr, "no cache type %s\n", name.c_str());
    exit(2);
}

static llama_context_params context_params(const std::string & line) {
    std::map<std::string, std::string> is = { { "ctk", "f16" }, { "ctv", "f16" }, { "fa", "auto" } };
    std::istringstream words(line);
    for (std::string word; words >> word;) {
        const size_t at = word.find('=');
        is[word.substr(0, at)] = word.substr(at + 1);
    }
    const auto number = [&](const char * key, int otherwise) { return is.count(key) ? atoi(is[key].c_str()) : otherwise; };

    llama_context_params params = llama_context_default_params();
    params.n_ctx      = number("ctx", 0);
    params.n_seq_max  = number("np", 1);
    params.kv_unified = number("unified", 0);
    params.n_ubatch   = number("ub", 512);
    params.swa_full   = number("swa_full", 0);
    params.embeddings = number("embedding", 0);
    params.offload_kqv = !number("nkvo", 0);
    // For embeddings the server takes a whole batch at once.
    params.n_batch    = params.embeddings ? params.n_ubatch : 2048;
    params.type_k     = cache_type(is["ctk"]);
    params.type_v     = cache_type(is["ctv"]);
    params.ctx_type   = number("mtp", 0) ? LLAMA_CONTEXT_TYPE_MTP : LLAMA_CONTEXT_TYPE_DEFAULT;
    params.flash_attn_type = is["fa"] == "on"  ? LLAMA_FLASH_ATTN_TYPE_ENABLED :
                             is["fa"] == "off" ? LLAMA_FLASH_ATTN_TYPE_DISABLED : LLAMA_FLASH_ATTN_TYPE_AUTO;
    // The server reserves one row of logits per slot, for embeddings one per token of a batch.
    params.n_outputs_max         = params.embeddings ? params.n_batch : params.n_seq_max;
    params.n_outputs_max_per_seq = 1;
    return params;
}

static void add(sizes & to, const std::map<ggml_backend_buffer_type_t, size_t> & from) {
    for (const auto & [buft, bytes] : from) {
        to[ggml_backend_buft_name(buft)] += bytes;
    }
}

static sizes state_of(llama_memory_i * memory) {
    sizes state;
    if (auto * recurrent = dynamic_cast<llama_memory_recurrent *>(memory)) {
        add(state, recurrent->memory_breakdown());
    } else if (auto * hybrid = dynamic_cast<llama_memory_hybrid *>(memory)) {
        add(state, hybrid->get_mem_recr()->memory_breakdown());
    } else if (auto * windowed = dynamic_cast<llama_memory_hybrid_iswa *>(memory)) {
        add(state, windowed->get_mem_recr()->memory_breakdown());
    } else if (auto * dsv4 = dynamic_cast<llama_kv_cache_dsv4 *>(memory)) {
        for (auto * part : { dsv4->get_csa_state(), dsv4->get_hca_state(), dsv4->get_lid_state() }) {
            if (part) {
                add(state, part->memory_breakdown());
            }
        }
    }
    return state;
}

static void answer(llama_model * model, const std::string & line) {
    complaints.clear();
    llama_context * ctx = llama_init_from_model(model, context_params(line));
    if (!ctx) {
        refuse(complaints.empty() ? "no context, no words" : complaints);
        return;
    }
    sizes weights, context, compute, kv;
    for (const auto & [buft, part] : llama_get_memory_breakdown(ctx)) {
        const char * name = ggml_backend_buft_name(buft);
        weights[name] += part.model;
        context[name] += part.context;
        compute[name] += part.compute;
    }
    const sizes state = state_of(llama_get_memory(ctx));
    kv = context;
    for (const auto & [name, bytes] : state) {
        kv[name] -= bytes;
    }
    printf("{\"weights\":%s,\"kv\":%s,\"state\":%s,\"compute\":%s,\"output\":%zu,\"flash\":%s}\n",
            object(weights).c_str(), object(kv).c_str(), object(state).c_str(), object(compute).c_str(),
            ggml_backend_buffer_get_size(ctx->buf_output.get()), ctx->get_cparams().flash_attn ? "true" : "false");
    fflush(stdout);
    llama_free(ctx);
}

static void list(const llama_model & model) {
    for (const auto & [name, tensor] : model.tensors_by_name) {
        const int64_t * ne = tensor->ne;
        printf("%s %lld %lld %lld %lld\n", name.c_str(), (long long) ne[0], (long long) ne[1], (long long) ne[2], (long long) ne[3]);
    }
}

static void no_data(ggml_tensor *, void *) {
}

int main(int argc, char ** argv) {
    llama_model_params params = llama_model_default_params();
    params.no_alloc        = true;
    params.load_mode       = LLAMA_LOAD_MODE_NONE;
    params.use_extra_bufts = false;
    params.n_gpu_layers    = 0;

    bool has_tensors = false;
    bool only_list   = false;
    std::string path;
    std::vector<ggml_backend_dev_t> devices;
    std::vector<std::string> patterns;
    std::vector<llama_model_tensor_buft_override> overrides;
    std::vector<float> split(llama_max_devices(), 0.0f);
    for (int i = 1; i < argc; i++) {
        const std::string arg = argv[i];
        if (arg == "--list") {
            only_list = true;
        } else if (arg == "--tensors") {
            has_tensors = true;
        } else if (arg == "--repack") {
            params.use_extra_bufts = true;
        } else if (arg == "--mtp") {
            params.load_mtp = true;
        } else if (arg == "--rpc" && i + 1 < argc) {
            ggml_backend_reg_t reg = ggml_backend_rpc_add_server(argv[++i]);
            for (size_t d = 0; reg && d < ggml_backend_reg_dev_count(reg); d++) {
                devices.push_back(ggml_backend_reg_dev_get(reg, d));
            }
        } else if (arg == "--ngl" && i + 1 < argc) {
            params.n_gpu_layers = atoi(argv[++i]);
        } else if (arg == "--ncmoe" && i + 1 < argc) {
            for (int layer = atoi(argv[++i]) - 1; layer >= 0; layer--) {
                patterns.push_back("blk\\." + std::to_string(layer) + "\\.ffn_(up|down|gate|gate_up)_(ch|)exps");
            }
        } else if (arg == "--ts" && i + 1 < argc) {
            std::istringstream parts(argv[++i]);
            size_t at = 0;
            for (std::string part; std::getline(parts, part, ',') && at < split.size();) {
                split[at++] = atof(part.c_str());
            }
            params.tensor_split = split.data();
        } else {
            path = arg;
        }
    }
    for (const std::string & pattern : patterns) {
        overrides.push_back({ pattern.c_str(), ggml_backend_cpu_buffer_type() });
    }
    overrides.push_back({ nullptr, nullptr });
    params.tensor_buft_overrides = overrides.data();
    devices.push_back(nullptr);
    params.devices = devices.data();

    llama_log_set(keep_errors, nullptr);
    ggml_set_abort_callback(on_abort);
    llama_backend_init();

    llama_model * model = nullptr;
    if (has_tensors) {
        model = llama_model_load_from_file(path.c_str(), params);
    } else {
        gguf_context * header = gguf_init_from_file(path.c_str(), { /*.no_alloc =*/ true, /*.ctx =*/ nullptr });
        if (header) {
            model = llama_model_init_from_user(header, no_data, nullptr, params);
        }
    }
    if (only_list) {
        if (model) {
            list(*model);
        }
        return 0;
    }
    const std::string load_words = complaints;
    for (std::string line; std::getline(std::cin, line);) {
        if (model) {
            answer(model, line);
        } else {
            refuse(load_words.empty() ? "no model, no words" : load_words);
        }
    }
    return 0;
}
