-- Asks for /small/0, /small/1, … and stops after the last one (arguments: count, connections).

local next_path, last = 0, 0

function init(args)
   last = tonumber(args[1]) + tonumber(args[2])
end

function request()
   local path = "/small/" .. next_path
   next_path = next_path + 1
   if next_path > last then
      wrk.thread:stop()
   end
   return wrk.format("GET", path)
end
