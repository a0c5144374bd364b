-- Who is at the other end of a connection to the Microsoft listener. HAProxy has checked the chain, with the error
-- "unsuitable purpose" ignored, because Microsoft's certificates are for servers only. What that leaves open is here:
-- the name must be Microsoft's, by whole labels, and the purpose must be server or client and nothing else's.

local names = { @MICROSOFT_NAMES@ }

-- Returns tag, the first and last index of the contents, and the index after the element.
local function element(der, at)
    local tag, first = der:byte(at, at + 1)
    if not tag or not first then error("short") end
    local from = at + 2
    local length = first
    if first > 127 then
        local count = first - 128
        if count == 0 or count > 3 then error("length") end
        length = 0
        for i = 1, count do length = length * 256 + der:byte(from + i - 1) end
        from = from + count
    end
    if from + length - 1 > #der then error("beyond") end
    return tag, from, from + length - 1, from + length
end

local function each(der, from, to)
    return function()
        if from > to then return nil end
        local tag, first, last, after = element(der, from)
        from = after
        return tag, first, last
    end
end

local SAN, EKU, BASIC, CN = "\x55\x1d\x11", "\x55\x1d\x25", "\x55\x1d\x13", "\x55\x04\x03"
local SERVER, CLIENT = "\x2b\x06\x01\x05\x05\x07\x03\x01", "\x2b\x06\x01\x05\x05\x07\x03\x02"

local function facts(der)
    local found = { dns = {}, cn = {}, uses = nil, ca = false }
    local _, from, to = element(der, 1)
    _, from, to = element(der, from)
    local sequences = 0
    for tag, first, last in each(der, from, to) do
        if tag == 0x30 then
            sequences = sequences + 1
            -- signature, issuer, validity, subject, key: the fourth is the subject
            if sequences == 4 then
                for _, set_first, set_last in each(der, first, last) do
                    for _, pair_first in each(der, set_first, set_last) do
                        local _, oid_first, oid_last, after = element(der, pair_first)
                        if der:sub(oid_first, oid_last) == CN then
                            local _, text_first, text_last = element(der, after)
                            table.insert(found.cn, der:sub(text_first, text_last))
                        end
                    end
                end
            end
        elseif tag == 0xa3 then
            local _, list_first, list_last = element(der, first)
            for _, ext_first, ext_last in each(der, list_first, list_last) do
                local _, oid_first, oid_last, after = element(der, ext_first)
                local oid = der:sub(oid_first, oid_last)
                local kind, body_first, body_last, next_at = element(der, after)
                if kind == 0x01 then kind, body_first, body_last = element(der, next_at) end
                if oid == SAN then
                    local _, general_first, general_last = element(der, body_first)
                    for name_tag, name_first, name_last in each(der, general_first, general_last) do
                        if name_tag == 0x82 then table.insert(found.dns, der:sub(name_first, name_last)) end
                    end
                elseif oid == EKU then
                    found.uses = {}
                    local _, use_first, use_last = element(der, body_first)
                    for _, one_first, one_last in each(der, use_first, use_last) do
                        found.uses[der:sub(one_first, one_last)] = true
                    end
                elseif oid == BASIC then
                    local _, seq_first, seq_last = element(der, body_first)
                    if seq_last >= seq_first then
                        local flag, flag_first = element(der, seq_first)
                        found.ca = flag == 0x01 and der:byte(flag_first) ~= 0
                    end
                end
            end
        end
    end
    return found
end

local function is_microsofts(name)
    name = name:lower()
    if name:find("[^a-z0-9.*-]") then return false end
    for _, ours in ipairs(names) do
        if name == ours or name:sub(-#ours - 1) == "." .. ours then return true end
    end
    return false
end

local function accepted(der)
    local ok, found = pcall(facts, der)
    if not ok or found.ca then return false end
    if found.uses and not (found.uses[SERVER] or found.uses[CLIENT]) then return false end
    -- The common name counts only where a certificate has no names of its own.
    local candidates = #found.dns > 0 and found.dns or found.cn
    for _, name in ipairs(candidates) do
        if is_microsofts(name) then return true end
    end
    return false
end

core.register_action("microsoft_peer", { "tcp-req" }, function(txn)
    local der = txn.f:ssl_c_der()
    txn:set_var("sess.microsoft_peer", der and accepted(der) and "yes" or "no")
end, 0)
