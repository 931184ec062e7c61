// SPDX-License-Identifier: GPL-2.0-only
/* The operations that the host's half calls for a file that is mapped by indirect blocks. */
#include "indirect.h"

const struct e3m_mapping_ops e3m_indirect_ops = {
	.name = "indirect",
	.extents = e3m_indirect_extents,
	.metadata_blocks = e3m_indirect_metadata_blocks,
	.map = e3m_indirect_map,
	.read_ahead = e3m_indirect_read_ahead,
	.map_record = e3m_indirect_map_record,
	.alloc = e3m_indirect_alloc,
	.reloc = e3m_indirect_reloc,
	.metadata_alloc = e3m_indirect_metadata_alloc,
	.metadata_reloc = e3m_indirect_metadata_reloc,
	.record_complete = e3m_indirect_record_complete,
};
