"""Operations recorded while a subject steps: arrays, numbers, literals and frameworks that write a tape."""
