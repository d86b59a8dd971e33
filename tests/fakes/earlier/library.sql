PRAGMA user_version = 5;
BEGIN TRANSACTION;
CREATE TABLE folders (
        path TEXT PRIMARY KEY,
        added_at REAL NOT NULL
    );
CREATE TABLE models (
        id INTEGER PRIMARY KEY AUTOINCREMENT,  -- never used again: server records name models by it
        path TEXT NOT NULL UNIQUE,
        facts TEXT,
        problem TEXT,
        added_at REAL NOT NULL,
        launch_options TEXT
    , size_bytes INTEGER, mtime_ns INTEGER, header_hash TEXT, missing INTEGER NOT NULL DEFAULT 0, parts TEXT, label TEXT, last_used REAL, tags TEXT, notes TEXT NOT NULL DEFAULT '', last_preset INTEGER);
INSERT INTO "models" VALUES(1,'/models/demo-model-F32.gguf','{"name": "Tiny demo", "architecture": "qwen35", "size_label": null, "parameter_count": 1318180, "quantisation": "F32", "context_length": 8192, "mtp_layers": 1, "block_count": 3, "expert_count": null, "has_chat_template": true, "file_size_bytes": 5280480, "expert_used_count": null, "embedding_length": 320, "head_count": 4, "head_count_kv": 2, "licence": null, "source_repository": null, "tokenizer": "gpt2", "model_type": null, "capabilities": [["mtp", "qwen35.nextn_predict_layers = 1"]]}',NULL,1.7960654447870502472e+09,'{"port": null, "context_size": 512, "gpu_layers": null, "reasoning_format": null, "jinja": null, "spec_draft_n_max": null, "spec_draft_p_min": null, "inference_config": null, "parallel": null, "device": null, "cache_type_k": null, "cache_type_v": null, "flash_attn": null, "mlock": null, "mmap": null, "batch_size": null, "ubatch_size": null, "threads": null, "threads_batch": null, "chat_template": null, "chat_template_file": null, "embeddings": null, "host": null, "require_api_key": null, "extra_args": ["--alias", "coder", "--no-warmup"], "mtp": null, "restart": null}',5280480,1796065444512461861,'4ac12f5cfceb49de5746c6a4a6e76efde77abbfaf5e03484c6d56352ba8b4f33',0,NULL,NULL,NULL,NULL,'',NULL);
CREATE TABLE passed_over (  -- files that are not listed: companions of models, and what the user took off
        path TEXT PRIMARY KEY,
        removed INTEGER NOT NULL,
        size_bytes INTEGER,
        mtime_ns INTEGER,
        label TEXT
    , tags TEXT, notes TEXT NOT NULL DEFAULT '');
CREATE TABLE presets (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        name TEXT NOT NULL,
        model_id INTEGER,  -- NULL: for all models
        options TEXT NOT NULL
    );
INSERT INTO "presets" VALUES(1,'Long context',NULL,'{"port": null, "context_size": 8192, "gpu_layers": null, "reasoning_format": null, "jinja": null, "spec_draft_n_max": null, "spec_draft_p_min": null, "inference_config": null, "parallel": null, "device": null, "cache_type_k": null, "cache_type_v": null, "flash_attn": null, "mlock": null, "mmap": null, "batch_size": null, "ubatch_size": null, "threads": null, "threads_batch": null, "chat_template": null, "chat_template_file": null, "embeddings": null, "host": null, "require_api_key": null, "extra_args": [], "mtp": null, "restart": null}');
CREATE UNIQUE INDEX preset_names ON presets (name, ifnull(model_id, 0));
CREATE TRIGGER presets_go_with_their_model AFTER DELETE ON models BEGIN
        DELETE FROM presets WHERE model_id = OLD.id;
    END;
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('models',1);
INSERT INTO "sqlite_sequence" VALUES('presets',1);
COMMIT;
