"""Running watch (运行监测): what the probes saw, what it means, who must know."""
